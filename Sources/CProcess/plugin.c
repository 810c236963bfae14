#define _GNU_SOURCE
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed(struct rh_failure *failure, const char *call, int error) {
  failure->call = call;
  failure->error = error;
  return -1;
}

/// Out of the way of the numbers that the keeper arranges anew.
static int raised(int descriptor) {
  if (descriptor < 0 || descriptor >= above_keeper) return descriptor;
  const int high = fcntl(descriptor, F_DUPFD_CLOEXEC, above_keeper);
  const int error = errno;
  close(descriptor);
  errno = error;
  return high;
}

static void close_all(const int *descriptors, size_t count) {
  for (size_t index = 0; index < count; index++) {
    if (descriptors[index] >= 0) close(descriptors[index]);
  }
}

static unsigned long clone_flags(const struct rh_plugin *plugin) {
  unsigned long flags = 0;
  if (plugin->separate & RH_OWN_USERS) flags |= CLONE_NEWUSER;
  if (plugin->separate & RH_OWN_PROCESSES) flags |= CLONE_NEWPID;
  if (plugin->separate & RH_OWN_NETWORK) flags |= CLONE_NEWNET;
  if (plugin->separate & RH_OWN_MOUNTS) flags |= CLONE_NEWNS | CLONE_NEWIPC;
  return flags;
}

int rh_plugin_start(const struct rh_plugin *plugin, struct rh_plugin_process *process, struct rh_failure *failure) {
  // Pairs of host's and plugin's end: input, output, error, report, lifeline.
  int host[5] = {-1, -1, -1, -1, -1}, other[5] = {-1, -1, -1, -1, -1};
  bool made = true;
  for (int index = 0; made && index < 5; index++) {
    int pair[2] = {-1, -1};
    // The lifeline is a socket, because a write to a pipe without a reader would raise SIGPIPE in the host.
    made = (index == 4 ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) : pipe2(pair, O_CLOEXEC)) == 0;
    host[index] = index == 0 ? pair[1] : pair[0];
    other[index] = raised(index == 0 ? pair[0] : pair[1]);
    if (made && (other[index] < 0 || (index < 3 && fcntl(host[index], F_SETFL, O_NONBLOCK) < 0))) made = false;
  }
  if (!made) {
    const int error = errno;
    close_all(host, 5);
    close_all(other, 5);
    return failed(failure, "pipe", error);
  }
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t keeper = rh_fork_here(clone_flags(plugin));
  const int fork_error = errno;
  if (keeper == 0) {
    rh_keeper_run(plugin, (struct ends){other[0], other[1], other[2], other[3], other[4]});
    _exit(0);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close_all(other, 5);
  if (keeper < 0) {
    close_all(host, 5);
    return failed(failure, "clone", fork_error);
  }
  struct rh_plugin_record record;
  if (rh_plugin_hear(host[3], &record) == 1 && record.news == rh_plugin_started) {
    *process = (struct rh_plugin_process){keeper, host[0], host[1], host[2], host[3], host[4]};
    return 0;
  }
  close_all(host, 5);
  int status = 0;
  const bool was_told = record.news == rh_plugin_failed && record.call != NULL;
  while (waitpid(keeper, &status, 0) < 0 && errno == EINTR) {
  }
  return failed(failure, was_told ? record.call : "keeper", was_told ? record.value : ECHILD);
}

int rh_plugin_hear(int report, struct rh_plugin_record *record) {
  ssize_t count;
  *record = (struct rh_plugin_record){0, 0, NULL};
  do count = read(report, record, sizeof *record);
  while (count < 0 && errno == EINTR);
  return count == (ssize_t)sizeof *record ? 1 : 0;
}

void rh_plugin_signal(int lifeline, int number) {
  const unsigned char byte = (unsigned char)number;
  // One that has ended hears nothing, which is what was wanted.
  (void)!send(lifeline, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void rh_plugin_wait(pid_t keeper) {
  while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR) {
  }
}
