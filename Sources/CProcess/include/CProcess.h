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

// MARK: - One call of a program

/// A program that answers one question, as a child of this process; its end is the caller's to wait for. Descriptors do not block.
struct rh_call {
  pid_t pid;
  int input;
  int output;
  int error;
};

/// Starts a program in a session and process group of its own, with these variables, three pipes, and nothing else of this process.
/// Returns 0, or an errno.
int rh_call_start(const char *const *argv, const char *const *envp, const char *directory, struct rh_call *call);
