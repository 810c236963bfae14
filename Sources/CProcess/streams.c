#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

int rh_bell(void) {
  return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

ssize_t rh_write_quietly(int descriptor, const void *bytes, size_t count) {
  sigset_t pipe_signal, before, pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  // One that waits already, since this thread blocks it anyway, is somebody else's.
  const int is_blocked = sigismember(&before, SIGPIPE);
  if (is_blocked) sigpending(&pending);
  ssize_t written;
  do written = write(descriptor, bytes, count);
  while (written < 0 && errno == EINTR);
  const int error = errno;
  if (written < 0 && error == EPIPE && !(is_blocked && sigismember(&pending, SIGPIPE))) {
    const struct timespec now = {0, 0};
    while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR) {
    }
  }
  if (!is_blocked) pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return written;
}

int rh_gate_make(int descriptor) {
  const int gate = epoll_create1(EPOLL_CLOEXEC);
  if (gate < 0) return -1;
  struct epoll_event event = {EPOLLIN, {.fd = descriptor}};
  if (epoll_ctl(gate, EPOLL_CTL_ADD, descriptor, &event) == 0) return gate;
  const int error = errno;
  close(gate);
  errno = error;
  return -1;
}

void rh_gate_set(int gate, int descriptor, int is_open) {
  struct epoll_event event = {is_open ? EPOLLIN : 0, {.fd = descriptor}};
  (void)epoll_ctl(gate, EPOLL_CTL_MOD, descriptor, &event);
}

int rh_wait_readable(int descriptor, int64_t nanoseconds) {
  struct pollfd awaited = {descriptor, POLLIN, 0};
  const struct timespec limit = {nanoseconds / 1000000000, nanoseconds % 1000000000};
  return ppoll(&awaited, 1, &limit, NULL) > 0;
}
