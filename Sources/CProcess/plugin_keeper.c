#define _GNU_SOURCE
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void rh_keeper_tell(int descriptor, enum rh_plugin_news news, int value, const char *call) {
  const struct rh_plugin_record record = {news, value, call};
  while (write(descriptor, &record, sizeof record) < 0 && errno == EINTR) {
  }
}

pid_t rh_fork_here(unsigned long flags) {
  return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

/// Zeros mean SIG_DFL to the kernel; glibc's sigaction would leave out 32 and 33.
static void forget_handlers(void) {
  static const unsigned char standard[64] = {0};
  for (int number = 1; number < NSIG; number++) syscall(SYS_rt_sigaction, number, standard, NULL, NSIG / 8);
}

/// Gives back what the keeper has of the host's memory: it lives as long as the plugin, and each page that the host changes meanwhile would be
/// kept twice. Only great private mappings without a file go, which are the arenas of malloc. The stack and the thread's own data stay, and so does
/// what the dynamic linker needs to bind a function at its first call: it lies in small mappings.
static void let_go_of_memory(void) {
  const int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (maps < 0) return;
  char text[8192];
  const uintptr_t here = (uintptr_t)&text, mine = (uintptr_t)&errno;
  size_t held = 0;
  ssize_t count;
  while ((count = read(maps, text + held, sizeof text - held)) > 0) {
    held += (size_t)count;
    char *line = text, *end;
    while ((end = memchr(line, '\n', held - (size_t)(line - text))) != NULL) {
      // START-END rw-p OFFSET DEVICE INODE NAME
      uintptr_t bounds[2] = {0, 0};
      const char *at = line;
      for (int bound = 0; bound < 2; bound++, at++) {
        for (; (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f'); at++)
          bounds[bound] = bounds[bound] << 4 | (uintptr_t)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
      }
      const bool is_private = end - at > 5 && memcmp(at, "rw-p ", 5) == 0;
      // A name begins with '/' or '['.
      const bool has_name = memchr(at, '/', (size_t)(end - at)) != NULL || memchr(at, '[', (size_t)(end - at)) != NULL;
      const bool holds_own = (bounds[0] <= here && here < bounds[1]) || (bounds[0] <= mine && mine < bounds[1]);
      if (is_private && !has_name && !holds_own && bounds[1] - bounds[0] >= great_mapping)
        (void)madvise((void *)bounds[0], bounds[1] - bounds[0], MADV_DONTNEED);
      line = end + 1;
    }
    held -= (size_t)(line - text);
    memmove(text, line, held);
    if (held == sizeof text) break;
  }
  close(maps);
}

// MARK: - Keeping

/// Kills the keeper's children; what they leave becomes its children too (PR_SET_CHILD_SUBREAPER).
static void kill_children(pid_t plugin) {
  (void)kill(-plugin, SIGKILL);
  const int list = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  if (list < 0) return;
  char text[4096];
  ssize_t count;
  pid_t number = 0;
  while ((count = read(list, text, sizeof text)) > 0) {
    for (ssize_t index = 0; index < count; index++) {
      if (text[index] >= '0' && text[index] <= '9') {
        number = number * 10 + (text[index] - '0');
      } else if (number > 0) {
        (void)kill(number, SIGKILL);
        number = 0;
      }
    }
  }
  close(list);
}

/// Ends all that the plugin has left. In a namespace of its own the kernel does it when the keeper ends.
static void end_everything(const struct rh_plugin *plugin, pid_t child) {
  if (plugin->separate & RH_OWN_PROCESSES) return;
  if (plugin->separate & RH_LEAVES_CHILDREN) {
    (void)kill(-child, SIGKILL);
    return;
  }
  // A bound: what forks faster than it is killed would otherwise hold the host's end too.
  for (int turn = 0; turn < 10000; turn++) {
    kill_children(child);
    pid_t ended;
    do ended = waitpid(-1, NULL, WNOHANG);
    while (ended > 0);
    if (ended < 0 && errno == ECHILD) return;
    (void)poll(NULL, 0, 1);
  }
}

/// Waits for the end of the plugin, or of the host's interest in it.
static void keep(const struct rh_plugin *plugin, pid_t child, int signals) {
  int status = 0;
  bool ended = false;
  while (!ended) {
    struct pollfd awaited[2] = {{signals, POLLIN, 0}, {keeper_lifeline, POLLIN, 0}};
    if (poll(awaited, 2, -1) < 0 && errno != EINTR) break;
    if (awaited[1].revents != 0) {
      unsigned char number;
      const ssize_t count = read(keeper_lifeline, &number, 1);
      if (count == 1) (void)kill(child, number);
      else if (count == 0 || errno != EINTR) break;
    }
    if (awaited[0].revents != 0) {
      struct signalfd_siginfo news;
      (void)!read(signals, &news, sizeof news);
      // Signals of one kind become one: look at all that have ended.
      int each;
      pid_t pid;
      while ((pid = waitpid(-1, &each, WNOHANG)) > 0) {
        if (pid == child) status = each, ended = true;
      }
    }
  }
  if (!ended) {
    (void)kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  end_everything(plugin, child);
  rh_keeper_tell(keeper_report, rh_plugin_ended, status, NULL);
}

void rh_keeper_run(const struct rh_plugin *plugin, struct ends ends) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || dup2(ends.input, 0) < 0 || dup2(ends.output, 1) < 0 || dup2(ends.error, 2) < 0
      || dup3(ends.report, keeper_report, O_CLOEXEC) < 0 || dup3(ends.lifeline, keeper_lifeline, O_CLOEXEC) < 0
      || (null != keeper_null && dup3(null, keeper_null, O_CLOEXEC) < 0))
    return rh_keeper_tell(ends.report, rh_plugin_failed, errno, "dup");
  rh_close_from(keeper_ready);
  int ready[2];
  const char *call = rh_keeper_surround(plugin);
  if (call == NULL && pipe2(ready, O_CLOEXEC) < 0) call = "pipe";
  if (call == NULL && setsid() < 0) call = "setsid";
  const int adopts = (plugin->separate & RH_LEAVES_CHILDREN) == 0;
  if (call == NULL && prctl(PR_SET_CHILD_SUBREAPER, adopts, 0, 0, 0) < 0) call = "prctl";
  // The host's handlers are no business of the keeper's, and where it ignores SIGCHLD nothing would be there to wait for.
  forget_handlers();
  sigset_t ends_of_children;
  sigemptyset(&ends_of_children);
  sigaddset(&ends_of_children, SIGCHLD);
  const int signals = call == NULL ? signalfd(-1, &ends_of_children, SFD_CLOEXEC | SFD_NONBLOCK) : -1;
  if (call == NULL && signals < 0) call = "signalfd";
  const pid_t child = call == NULL ? rh_fork_here(0) : -1;
  if (call == NULL && child < 0) call = "fork";
  if (call != NULL) return rh_keeper_tell(keeper_report, rh_plugin_failed, errno, call);
  if (child == 0) {
    call = rh_become_plugin(plugin);
    rh_keeper_tell(ready[1], rh_plugin_failed, errno, call);
    _exit(127);
  }
  close(ready[1]);
  for (int descriptor = 0; descriptor < 3; descriptor++) (void)dup2(keeper_null, descriptor);
  // Nothing comes where the program was begun: exec closed the other end.
  struct rh_plugin_record trouble;
  ssize_t count;
  do count = read(ready[0], &trouble, sizeof trouble);
  while (count < 0 && errno == EINTR);
  close(ready[0]);
  if (count == (ssize_t)sizeof trouble) return rh_keeper_tell(keeper_report, trouble.news, trouble.value, trouble.call);
  rh_keeper_tell(keeper_report, rh_plugin_started, 0, NULL);
  let_go_of_memory();
  keep(plugin, child, signals);
}
