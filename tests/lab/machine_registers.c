/* Loaded before user-mode Linux (LD_PRELOAD), which was built when a processor's vector state had at most 2,696 bytes.
 * Where it has more (AMX), the kernel refuses to set a part of it: "ptrace set fp regs failed, errno = 14". So the part
 * is laid over the whole that the process has, and the whole is set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

typedef long (*ptrace_t)(enum __ptrace_request, ...);

long ptrace(enum __ptrace_request request, ...)
{
    static ptrace_t real;
    va_list rest;
    va_start(rest, request);
    long pid = va_arg(rest, long);
    void *address = va_arg(rest, void *), *data = va_arg(rest, void *);
    va_end(rest);
    if (!real)
        real = (ptrace_t)dlsym(RTLD_NEXT, "ptrace");
    if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE) {
        static _Thread_local char state[1 << 15];
        struct iovec *part = data, whole = {state, sizeof state};
        if (real(PTRACE_GETREGSET, pid, address, &whole) == 0 && part->iov_len < whole.iov_len) {
            memcpy(state, part->iov_base, part->iov_len);
            return real(PTRACE_SETREGSET, pid, address, &whole);
        }
    }
    return real(request, pid, address, data);
}
