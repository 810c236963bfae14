#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A soft limit for a process; it never goes above the hard limit that the process has.
struct rh_limit {
  /// RLIMIT_… of <sys/resource.h>.
  int resource;
  uint64_t value;
};

/// A program to run apart from this process.
struct rh_command {
  const char *path;
  char *const *argv;
  char *const *envp;
  const char *directory;
  /// Open descriptors for standard output and error; standard input is /dev/null, everything else is closed.
  int output;
  int error;
  const struct rh_limit *limits;
  size_t limit_count;
};

/// What failed: the call's name and its errno.
struct rh_failure {
  const char *call;
  int error;
};

/// A process that is detached and waits for permission to become its program.
struct rh_held {
  pid_t pid;
  int permit;
  int report;
};

/// Makes a detached process (own session, subreaper of its descendants, child of the system's reaper) that is held just before its program.
///
/// In between the caller writes down who it is. If the caller dies, or calls rh_abandon, the held process ends without having run anything:
/// so there is never a running program that nobody wrote down.
/// Returns 0, or -1 with the failure.
int rh_hold(const struct rh_command *command, struct rh_held *held, struct rh_failure *failure);

/// Lets a held process run its program. Returns 0 once the program runs, or -1 with the failure. Ends the use of `held`.
int rh_release(struct rh_held *held, struct rh_failure *failure);

/// Ends a held process that has not been released.
void rh_abandon(struct rh_held *held);

/// Opens a descriptor that means this process and never a later one of the same number; -1 with errno.
int rh_process_open(pid_t pid);

/// Sends a signal through a descriptor of rh_process_open. Returns 0, or an errno.
int rh_process_signal(int descriptor, int number);

/// Sets a soft limit of a running process. Returns 0, or an errno.
int rh_process_limit(pid_t pid, struct rh_limit limit);

/// Removes a folder and all below it. Never follows a symbolic link, never enters a mount, needs no recursion however deep the folder is.
/// The folder is the caller's own, and nothing else writes below it. Absent is success. Returns 0, or -1 with the failure.
int rh_remove_tree(const char *path, struct rh_failure *failure);

/// Bytes that a folder takes with all below it, each name at least 4 KiB. Follows no link, enters no mount. Ends where it is beyond the bound; so is
/// what is nested deeper than 64 folders. What is gone counts as nothing; what may not be read is beyond the bound.
int64_t rh_tree_size(const char *path, int64_t bound);

// MARK: - Plugins

/// What a plugin has of its own, and does not share with the host.
enum {
  /// Users: needed for the others where the host is not root.
  RH_OWN_USERS = 1,
  /// Processes: all of them end with the first.
  RH_OWN_PROCESSES = 2,
  /// A network with nothing in it but loopback.
  RH_OWN_NETWORK = 4,
  /// Mounts, and messages of System V.
  RH_OWN_MOUNTS = 8,
  /// What it started outlives it, in sessions of its own: only the program itself is ended. Excludes RH_OWN_PROCESSES.
  RH_LEAVES_CHILDREN = 16,
};

/// A program of somebody else, to be run apart and held in bounds.
struct rh_plugin {
  /// As the plugin sees it.
  const char *path;
  char *const *argv;
  char *const *envp;
  /// Its files, and the folder of its own in which it works.
  const char *folder;
  const char *directory;
  /// A folder on which both are shown to it, as `stage_folder` and `stage_directory` below; NULL: it sees them where they are. A user of its own
  /// could not reach what lies below a folder that is the host's alone.
  const char *stage;
  const char *stage_folder;
  const char *stage_directory;
  /// The user and group that it runs as; 0: the host's.
  uid_t user;
  gid_t group;
  /// RH_OWN_…
  unsigned separate;
  /// Of RH_OWN_USERS: lines of /proc/PID/uid_map and gid_map.
  const char *user_map;
  const char *group_map;
  int nice;
  /// Hard limits.
  const struct rh_limit *limits;
  size_t limit_count;
  /// Files and folders that it may read or run, and those that it may change, each ended by NULL; held by Landlock where the kernel has it.
  const char *const *readable;
  const char *const *writable;
};

/// A plugin that runs, as the host has it. All descriptors are the caller's to close; input, output and error do not block.
struct rh_plugin_process {
  /// The process of ours that keeps it: a child of this one.
  pid_t keeper;
  int input;
  int output;
  int error;
  /// One rh_plugin_record when it has ended.
  int report;
  /// Its end ends the plugin and everything that it started; so does the host's own end.
  int lifeline;
};

enum rh_plugin_news { rh_plugin_started = 1, rh_plugin_failed, rh_plugin_ended };

/// What a keeper tells. Smaller than PIPE_BUF, so it comes whole.
struct rh_plugin_record {
  enum rh_plugin_news news;
  /// An errno, or the status as of waitpid(2).
  int value;
  /// A literal of this program.
  const char *call;
};

/// Starts a plugin. Blocks until its program runs or could not be begun: some milliseconds.
/// Returns 0, or -1 with the failure.
int rh_plugin_start(const struct rh_plugin *plugin, struct rh_plugin_process *process, struct rh_failure *failure);

/// Reads one record, and blocks until there is one. Returns 1, or 0 where the keeper has ended without a word.
int rh_plugin_hear(int report, struct rh_plugin_record *record);

/// Sends a signal to the plugin.
void rh_plugin_signal(int lifeline, int number);

/// Waits for the end of a keeper, which has told of the end of its plugin: nothing of it is left then.
void rh_plugin_wait(pid_t keeper);

/// The version of the kernel's Landlock; 0: it has none.
int rh_landlock_version(void);

/// write(2) that never raises SIGPIPE: EPIPE says enough.
ssize_t rh_write_quietly(int descriptor, const void *bytes, size_t count);

/// A descriptor that another thread makes readable by writing eight bytes to it (eventfd(2)); -1 with errno.
int rh_bell(void);

/// A descriptor that is readable while another one is, and while it is open: what waits for it can be kept asleep while somebody else reads. It is made
/// open (epoll(7)); -1 with errno.
int rh_gate_make(int descriptor);

/// Opens or closes a gate. The end of the stream and errors come through a closed one too.
void rh_gate_set(int gate, int descriptor, int is_open);

/// Waits until something can be read, for so long at most. Returns 1, or 0 where nothing came.
int rh_wait_readable(int descriptor, int64_t nanoseconds);

/// Closes all descriptors from one number on. Async-signal-safe.
void rh_close_from(unsigned first);
