#pragma once

#include "CProcess.h"

#include <stdbool.h>

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

/// Tells the host, through the keeper's report. Never fails where somebody listens.
void rh_keeper_tell(int descriptor, enum rh_plugin_news news, int value, const char *call);

/// clone(2) without the C library's own locks and handlers.
pid_t rh_fork_here(unsigned long flags);

/// What the keeper has of its own: user and group maps, a network, mounts. Returns NULL, or the name of the call that failed.
const char *rh_keeper_surround(const struct rh_plugin *plugin);

/// Becomes the plugin's program, within its bounds. Returns only on failure, with the name of the call that failed.
const char *rh_become_plugin(const struct rh_plugin *plugin);

/// The life of a keeper, from the clone to the end of its plugin.
void rh_keeper_run(const struct rh_plugin *plugin, struct ends ends);
