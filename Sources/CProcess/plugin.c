#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// A plugin has a keeper: a process of ours between the host and it, which is PID 1 of its namespace where there is one. It hears of the end of the
// plugin and of the end of the host, and takes everything below itself along: the kernel kills a PID namespace with its first process. PR_SET_PDEATHSIG
// alone would not do: it is tied to the thread that forked, is not inherited, and is cleared by a change of user.
//
// The keeper comes from a raw clone of a program with threads, so no lock of the C library is to be trusted, not even those of its fork. Below,
// only system calls are made, and those that the library would carry out in all threads (setresuid) are made directly.

enum {
  keeper_report = 3,
  keeper_lifeline = 4,
  keeper_null = 5,
  keeper_ready = 6,
  keeper_first_other = 7,
  above_keeper = 20,
  great_mapping = 1 << 20,
};

struct ends {
  int input, output, error, report, lifeline;
};

static void tell(int descriptor, enum rh_plugin_news news, int value, const char *call) {
  const struct rh_plugin_record record = {news, value, call};
  while (write(descriptor, &record, sizeof record) < 0 && errno == EINTR) {
  }
}

static pid_t fork_here(unsigned long flags) {
  return (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
}

/// Zeros mean SIG_DFL to the kernel; glibc's sigaction would leave out 32 and 33.
static void forget_handlers(void) {
  static const unsigned char standard[64] = {0};
  for (int number = 1; number < NSIG; number++) syscall(SYS_rt_sigaction, number, standard, NULL, NSIG / 8);
}

// MARK: - The keeper's surroundings

static const char *write_file(const char *path, const char *text) {
  const int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return path;
  const bool done = write(file, text, strlen(text)) == (ssize_t)strlen(text);
  const int error = errno;
  close(file);
  errno = error;
  return done ? NULL : path;
}

static const char *loopback_up(void) {
  const int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return "socket";
  struct ifreq request;
  memset(&request, 0, sizeof request);
  memcpy(request.ifr_name, "lo", 3);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  const bool done = ioctl(socket_, SIOCSIFFLAGS, &request) == 0;
  close(socket_);
  return done ? NULL : "loopback";
}

/// Shows one folder at another place.
static const char *show(const char *from, const char *at, unsigned long flags) {
  if (mkdir(at, 0755) < 0 && errno != EEXIST) return "mkdir of the stage";
  if (mount(from, at, NULL, MS_BIND, NULL) < 0) return "mount of the stage";
  if (mount(NULL, at, NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | flags, NULL) < 0) return "remount of the stage";
  return NULL;
}

static const char *arrange_mounts(const struct rh_plugin *plugin) {
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return "mount --make-private";
  // Without it, /proc shows the processes of the host: less private, and nothing else.
  if (plugin->separate & RH_OWN_PROCESSES) (void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  if (plugin->stage == NULL) return NULL;
  if (mkdir(plugin->stage, 0755) < 0 && errno != EEXIST) return "mkdir of the stage";
  if (mount("tmpfs", plugin->stage, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64k") < 0) return "mount of the stage";
  const char *call = show(plugin->folder, plugin->stage_folder, MS_RDONLY);
  if (call == NULL) call = show(plugin->directory, plugin->stage_directory, 0);
  if (call == NULL && mount(NULL, plugin->stage, NULL, MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, "mode=0755,size=64k") < 0)
    call = "remount of the stage";
  return call;
}

static const char *surround(const struct rh_plugin *plugin) {
  const char *call = NULL;
  if (plugin->separate & RH_OWN_USERS) {
    call = write_file("/proc/self/setgroups", "deny");
    if (call == NULL) call = write_file("/proc/self/uid_map", plugin->user_map);
    if (call == NULL) call = write_file("/proc/self/gid_map", plugin->group_map);
  }
  if (call == NULL && (plugin->separate & RH_OWN_NETWORK)) call = loopback_up();
  if (call == NULL && (plugin->separate & RH_OWN_MOUNTS)) call = arrange_mounts(plugin);
  return call;
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

// MARK: - The plugin

// linux/landlock.h is younger than the headers of Debian 12 in parts; the numbers are those of the kernel's interface.
struct landlock_ruleset {
  uint64_t files, network, scoped;
};
struct landlock_below {
  uint64_t allowed;
  int32_t parent;
} __attribute__((packed));
enum { landlock_create = 444, landlock_add = 445, landlock_restrict = 446 };
enum {
  landlock_execute = 1 << 0,
  landlock_write = 1 << 1,
  landlock_read = 1 << 2,
  landlock_list = 1 << 3,
  landlock_truncate = 1 << 14,
  landlock_control = 1 << 15,
};

int rh_landlock_version(void) {
  const long version = syscall(landlock_create, NULL, 0, 1);
  return version < 0 ? 0 : (int)version;
}

static const char *allow_below(int rules, const char *path, uint64_t allowed) {
  struct landlock_below below = {allowed, open(path, O_PATH | O_CLOEXEC)};
  // What is not there needs no permission.
  if (below.parent < 0) return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? NULL : "open for landlock";
  struct stat facts;
  if (fstat(below.parent, &facts) == 0 && !S_ISDIR(facts.st_mode))
    below.allowed &= landlock_execute | landlock_write | landlock_read | landlock_truncate | landlock_control;
  const bool done = syscall(landlock_add, rules, 1, &below, 0) == 0;
  const int error = errno;
  close(below.parent);
  errno = error;
  return done ? NULL : "landlock_add_rule";
}

/// Nothing but the named paths can be opened from now on, where the kernel has Landlock.
static const char *confine_files(const struct rh_plugin *plugin) {
  const int version = rh_landlock_version();
  if (version == 0 || plugin->readable == NULL) return NULL;
  const uint64_t all = version >= 5 ? 0xFFFF : version >= 3 ? 0x7FFF : version == 2 ? 0x3FFF : 0x1FFF;
  struct landlock_ruleset ruleset = {all, 0, version >= 6 ? 3 : 0};
  const size_t size = version >= 6 ? sizeof ruleset : version >= 4 ? 16 : 8;
  const int rules = (int)syscall(landlock_create, &ruleset, size, 0);
  if (rules < 0) return "landlock_create_ruleset";
  const char *call = NULL;
  for (const char *const *path = plugin->readable; call == NULL && *path != NULL; path++)
    call = allow_below(rules, *path, landlock_execute | landlock_read | landlock_list);
  for (const char *const *path = plugin->writable; call == NULL && *path != NULL; path++) call = allow_below(rules, *path, all);
  if (call == NULL && syscall(landlock_restrict, rules, 0) < 0) call = "landlock_restrict_self";
  const int error = errno;
  close(rules);
  errno = error;
  return call;
}

static const char *lower_limits(const struct rh_plugin *plugin) {
  for (size_t index = 0; index < plugin->limit_count; index++) {
    struct rlimit now;
    const struct rh_limit limit = plugin->limits[index];
    if (prlimit(0, limit.resource, NULL, &now) < 0) return "getrlimit";
    if (limit.value < now.rlim_max) now.rlim_max = limit.value;
    if (now.rlim_cur > now.rlim_max) now.rlim_cur = now.rlim_max;
    if (prlimit(0, limit.resource, &now, NULL) < 0) return "setrlimit";
  }
  return NULL;
}

/// Becomes the plugin's program. Returns only on failure, with the name of the call that failed.
static const char *become_plugin(const struct rh_plugin *plugin) {
  if (setsid() < 0) return "setsid";
  (void)setpriority(PRIO_PROCESS, 0, plugin->nice);
  const char *call = lower_limits(plugin);
  if (call != NULL) return call;
  if (plugin->user != 0) {
    if (syscall(SYS_setgroups, 0, NULL) < 0) return "setgroups";
    if (syscall(SYS_setresgid, plugin->group, plugin->group, plugin->group) < 0) return "setresgid";
    if (syscall(SYS_setresuid, plugin->user, plugin->user, plugin->user) < 0) return "setresuid";
  }
  // After the change of user: it is to be possible for the plugin itself.
  if (chdir(plugin->stage != NULL ? plugin->stage_directory : plugin->directory) < 0) return "chdir";
  umask(077);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return "prctl";
  call = confine_files(plugin);
  if (call != NULL) return call;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) return "prctl";

  static const unsigned char none[NSIG / 8] = {0};
  if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, sizeof none) < 0) return "sigprocmask";
  execve(plugin->path, plugin->argv, plugin->envp);
  return "execve";
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
  tell(keeper_report, rh_plugin_ended, status, NULL);
}

static void run_keeper(const struct rh_plugin *plugin, struct ends ends) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || dup2(ends.input, 0) < 0 || dup2(ends.output, 1) < 0 || dup2(ends.error, 2) < 0
      || dup3(ends.report, keeper_report, O_CLOEXEC) < 0 || dup3(ends.lifeline, keeper_lifeline, O_CLOEXEC) < 0
      || (null != keeper_null && dup3(null, keeper_null, O_CLOEXEC) < 0))
    return tell(ends.report, rh_plugin_failed, errno, "dup");
  rh_close_from(keeper_ready);
  int ready[2];
  const char *call = surround(plugin);
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
  const pid_t child = call == NULL ? fork_here(0) : -1;
  if (call == NULL && child < 0) call = "fork";
  if (call != NULL) return tell(keeper_report, rh_plugin_failed, errno, call);
  if (child == 0) {
    call = become_plugin(plugin);
    tell(ready[1], rh_plugin_failed, errno, call);
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
  if (count == (ssize_t)sizeof trouble) return tell(keeper_report, trouble.news, trouble.value, trouble.call);
  tell(keeper_report, rh_plugin_started, 0, NULL);
  let_go_of_memory();
  keep(plugin, child, signals);
}

// MARK: - The host's side

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
  const pid_t keeper = fork_here(clone_flags(plugin));
  const int fork_error = errno;
  if (keeper == 0) {
    run_keeper(plugin, (struct ends){other[0], other[1], other[2], other[3], other[4]});
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

int rh_bell(void) {
  return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

ssize_t rh_write_quietly(int descriptor, const void *bytes, size_t count) {
  sigset_t pipe_signal, before, pending;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  sigpending(&pending);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  ssize_t written;
  do written = write(descriptor, bytes, count);
  while (written < 0 && errno == EINTR);
  const int error = errno;
  if (written < 0 && error == EPIPE && !sigismember(&pending, SIGPIPE)) {
    const struct timespec now = {0, 0};
    while (sigtimedwait(&pipe_signal, NULL, &now) < 0 && errno == EINTR) {
    }
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return written;
}
