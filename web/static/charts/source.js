/** Sources: the JSON behind a chart, asked for with its ETag, so that what did not change costs nothing. */

/** @typedef {{answer: any, isNew: boolean, problem: string}} Got */

const WORDS = {
  401: "Log in to see this chart.",
  403: "You may not see this chart.",
  404: "There is nothing to draw here yet.",
  410: "What this chart showed was deleted.",
};

export class Source {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    this.etag = "";
    this.body = "";
    /** @type {any} */
    this.answer = null;
  }

  /** Ask; `problem` is a sentence where no answer came, and the last good answer stands. @returns {Promise<Got>} */
  async ask(/** @type {AbortSignal} */ signal) {
    const headers = { Accept: "application/json", "X-Park-Look": "1" };
    if (this.etag) headers["If-None-Match"] = this.etag;
    let reply;
    let body = "";
    try {
      reply = await fetch(this.url, { headers, cache: "no-store", credentials: "same-origin", signal });
      body = reply.status === 200 ? await reply.text() : "";
    } catch (error) {
      if (signal.aborted) throw error;
      return this.#kept("The server did not answer; the chart shows what was known last.");
    }
    if (reply.status === 304) return this.#kept("");
    if (reply.status !== 200)
      return this.#kept(WORDS[reply.status] ?? `The server answered ${reply.status}; it will be asked again.`);
    this.etag = reply.headers.get("ETag") ?? "";
    if (body === this.body) return this.#kept("");
    try {
      this.answer = JSON.parse(body);
    } catch {
      this.etag = "";
      return this.#kept(
        "The server's answer was no JSON; reload the page, and tell the operator if that does not help.",
      );
    }
    this.body = body;
    return { answer: this.answer, isNew: true, problem: "" };
  }

  #kept(problem) {
    return { answer: this.answer, isNew: false, problem };
  }
}
