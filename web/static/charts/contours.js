/** Contours: where a level crosses the lines between the centres of cells, by marching squares. */

/**
 * Which edges of a square a line joins, for each pattern of corners above the level.
 * Bits: 1 left bottom, 2 right bottom, 4 right top, 8 left top.
 */
const LINES = [
  [],
  [[3, 0]],
  [[0, 1]],
  [[3, 1]],
  [[1, 2]],
  [
    [3, 2],
    [0, 1],
  ],
  [[0, 2]],
  [[3, 2]],
  [[2, 3]],
  [[2, 0]],
  [
    [0, 3],
    [1, 2],
  ],
  [[2, 1]],
  [[1, 3]],
  [[1, 0]],
  [[0, 3]],
  [],
];

/**
 * Give the pieces [x0, y0, x1, y1] of the contour of a level; a square with an empty corner has none.
 * @param {import("./grid.js").Plane} plane @returns {number[][]}
 */
export function contour({ x, y, cells }, level) {
  const columns = x.at.length;
  const pieces = [];
  for (let row = 0; row + 1 < y.at.length; row++)
    for (let column = 0; column + 1 < columns; column++) {
      const first = row * columns + column;
      const corners = [cells[first], cells[first + 1], cells[first + columns + 1], cells[first + columns]];
      if (corners.some(Number.isNaN)) continue;
      const pattern = corners.reduce((bits, value, i) => (value > level ? bits | (1 << i) : bits), 0);
      const square = { left: x.at[column], right: x.at[column + 1], bottom: y.at[row], top: y.at[row + 1] };
      for (const [from, to] of LINES[pattern])
        pieces.push([...crossing(square, corners, from, level), ...crossing(square, corners, to, level)]);
    }
  return pieces;
}

/** Where the level crosses an edge of a square: 0 bottom, 1 right, 2 top, 3 left. */
function crossing({ left, right, bottom, top }, corners, edge, level) {
  const [from, to] = [
    [0, 1],
    [1, 2],
    [3, 2],
    [0, 3],
  ][edge];
  const part = (level - corners[from]) / (corners[to] - corners[from]);
  if (edge === 0 || edge === 2) return [left + (right - left) * part, edge === 0 ? bottom : top];
  return [edge === 3 ? left : right, bottom + (top - bottom) * part];
}

/**
 * Join pieces that meet into long lines, so that dashes run along them.
 * @param {number[][]} pieces @returns {[number, number][][]}
 */
export function joined(pieces) {
  const meets = new Map();
  const name = (x, y) => `${x} ${y}`;
  pieces.forEach((piece, i) => {
    for (const end of [name(piece[0], piece[1]), name(piece[2], piece[3])])
      meets.set(end, [...(meets.get(end) ?? []), i]);
  });
  const isUsed = new Set();
  const grow = (line) => {
    for (;;) {
      const [x, y] = line[line.length - 1];
      const next = meets.get(name(x, y)).find((i) => !isUsed.has(i));
      if (next === undefined) return line;
      isUsed.add(next);
      const [x0, y0, x1, y1] = pieces[next];
      line.push(x0 === x && y0 === y ? [x1, y1] : [x0, y0]);
    }
  };
  return pieces.flatMap(([x0, y0, x1, y1], i) => {
    if (isUsed.has(i)) return [];
    isUsed.add(i);
    const forward = grow([
      [x0, y0],
      [x1, y1],
    ]);
    return [grow(forward.reverse())];
  });
}
