#define _GNU_SOURCE
#include "plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// What a plugin has of its own, and what it is kept from. Runs after the clone: system calls only.

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

const char *rh_keeper_surround(const struct rh_plugin *plugin) {
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
const char *rh_become_plugin(const struct rh_plugin *plugin) {
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
