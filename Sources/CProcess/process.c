#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Why this is C, and neither swift-subprocess nor Foundation.Process: a runner must survive its host (no parent that waits, no shared
// session), adopt whatever its descendants leave behind (PR_SET_CHILD_SUBREAPER, which must be set between fork and exec), have its own
// limits, and be written down before it runs. After a fork in a program with threads only async-signal-safe calls are allowed, which no
// Swift code can promise.

/// What a child tells its parent over the report pipe. A record is smaller than PIPE_BUF, so a write is whole. `call` points to a literal of
/// this program, whose addresses are the same on both sides of a fork; NULL means that `value` is the pid of the held process.
struct record {
  const char *call;
  int value;
};

enum { report_descriptor = 3, permit_descriptor = 4, first_other_descriptor = 5, above_standard = 10 };

static void tell(int descriptor, const char *call, int value) {
  const struct record record = {call, value};
  while (write(descriptor, &record, sizeof record) < 0 && errno == EINTR) {
  }
}

void rh_close_from(unsigned first) {
  if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  // Linux before 5.9.
  struct rlimit files;
  const rlim_t most = 1 << 20;
  const rlim_t end = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < most ? files.rlim_cur : most;
  for (rlim_t descriptor = first; descriptor < end; descriptor++) close((int)descriptor);
}

/// Becomes the program. Returns only on failure, with the name of the call that failed.
static const char *become(const struct rh_command *command, int report, int permit) {
  if (setsid() < 0) return "setsid";
  // Kept across exec, not inherited by children: this process alone adopts its orphaned descendants, whatever they do with setsid.
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) return "prctl";

  const int output = fcntl(command->output, F_DUPFD_CLOEXEC, above_standard);
  const int error = fcntl(command->error, F_DUPFD_CLOEXEC, above_standard);
  const int input = open("/dev/null", O_RDONLY);
  if (output < 0 || error < 0) return "fcntl";
  if (input < 0) return "open /dev/null";
  if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(error, 2) < 0) return "dup2";
  if (dup3(report, report_descriptor, O_CLOEXEC) < 0 || dup3(permit, permit_descriptor, O_CLOEXEC) < 0) return "dup3";
  rh_close_from(first_other_descriptor);

  if (chdir(command->directory) < 0) return "chdir";
  umask(022);
  for (size_t index = 0; index < command->limit_count; index++) {
    const int failed = rh_process_limit(0, command->limits[index]);
    if (failed != 0) {
      errno = failed;
      return "setrlimit";
    }
  }

  char byte;
  ssize_t count;
  do count = read(permit_descriptor, &byte, 1);
  while (count < 0 && errno == EINTR);
  if (count != 1) _exit(0);  // Abandoned.

  // What the host ignores (SIGPIPE) or catches is not the runner's business. All are blocked since before the fork.
  // Zeros mean SIG_DFL to the kernel; glibc's sigaction would leave out 32 and 33, which an ancestor may have ignored.
  static const unsigned char standard[64] = {0};
  for (int number = 1; number < NSIG; number++) syscall(SYS_rt_sigaction, number, standard, NULL, NSIG / 8);
  sigset_t none;
  sigemptyset(&none);
  if (sigprocmask(SIG_SETMASK, &none, NULL) < 0) return "sigprocmask";
  execve(command->path, command->argv, command->envp);
  return "execve";
}

/// Moves a descriptor out of the way of 0 to 9, which the child arranges anew.
static int raise_descriptor(int *descriptor) {
  if (*descriptor >= above_standard) return 0;
  const int raised = fcntl(*descriptor, F_DUPFD_CLOEXEC, above_standard);
  if (raised < 0) return -1;
  close(*descriptor);
  *descriptor = raised;
  return 0;
}

static int failed(struct rh_failure *failure, const char *call, int error) {
  failure->call = call;
  failure->error = error;
  return -1;
}

/// Reads one record. Returns 1, or 0 at the end.
static int hear(int descriptor, struct record *record) {
  ssize_t count;
  do count = read(descriptor, record, sizeof *record);
  while (count < 0 && errno == EINTR);
  return count == (ssize_t)sizeof *record;
}

int rh_hold(const struct rh_command *command, struct rh_held *held, struct rh_failure *failure) {
  int report[2], permit[2];
  if (pipe2(report, O_CLOEXEC) < 0) return failed(failure, "pipe2", errno);
  // A socket, because a write to a pipe whose reader has died would raise SIGPIPE in the host.
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, permit) < 0) {
    const int error = errno;
    close(report[0]);
    close(report[1]);
    return failed(failure, "socketpair", error);
  }
  const bool raised = raise_descriptor(&report[1]) == 0 && raise_descriptor(&permit[0]) == 0;
  const int raise_error = errno;

  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t middle = raised ? fork() : -1;
  const int fork_error = raised ? errno : raise_error;
  if (middle == 0) {
    const pid_t child = fork();
    if (child == 0) {
      const char *call = become(command, report[1], permit[0]);
      const int error = errno;
      // Whether the failure was before or after the descriptors moved, one of the two is the report.
      tell(fcntl(report[1], F_GETFD) < 0 ? report_descriptor : report[1], call, error);
      _exit(127);
    }
    if (child < 0) tell(report[1], "fork", errno);
    else tell(report[1], NULL, child);
    _exit(0);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(report[1]);
  close(permit[0]);

  struct record record;
  bool known = false;
  if (middle > 0) {
    while (waitpid(middle, NULL, 0) < 0 && errno == EINTR) {
    }
    // The pid comes first unless the held process failed before its parent spoke.
    struct record trouble = {NULL, 0};
    while (!known && hear(report[0], &record)) {
      if (record.call == NULL) known = true;
      else trouble = record;
    }
    if (known && trouble.call == NULL) {
      held->pid = record.value;
      held->permit = permit[1];
      held->report = report[0];
      return 0;
    }
    record = trouble;
  }
  close(report[0]);
  close(permit[1]);
  if (middle < 0) return failed(failure, "fork", fork_error);
  if (record.call == NULL) return failed(failure, "fork", ECHILD);
  return failed(failure, record.call, record.value);
}

int rh_release(struct rh_held *held, struct rh_failure *failure) {
  // Whether it can still be sent does not matter: the report says what became of it.
  (void)send(held->permit, "!", 1, MSG_NOSIGNAL);
  struct record record;
  const int has_failed = hear(held->report, &record);
  close(held->permit);
  close(held->report);
  return has_failed ? failed(failure, record.call, record.value) : 0;
}

void rh_abandon(struct rh_held *held) {
  close(held->permit);
  close(held->report);
}

int rh_process_open(pid_t pid) {
  return (int)syscall(SYS_pidfd_open, pid, 0);
}

int rh_process_signal(int descriptor, int number) {
  return syscall(SYS_pidfd_send_signal, descriptor, number, NULL, 0) < 0 ? errno : 0;
}

int rh_process_limit(pid_t pid, struct rh_limit limit) {
  struct rlimit now;
  if (prlimit(pid, limit.resource, NULL, &now) < 0) return errno;
  now.rlim_cur = limit.value < now.rlim_max ? limit.value : now.rlim_max;
  return prlimit(pid, limit.resource, &now, NULL) < 0 ? errno : 0;
}
