#define _GNU_SOURCE
#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

// In C since glibc's additions to posix_spawn are hidden from Swift.

int rh_call_start(const char *const *argv, const char *const *envp, const char *directory, struct rh_call *call) {
  int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
  int result = 0;
  for (int i = 0; i < 3 && result == 0; i++) {
    if (pipe2(pipes[i], O_CLOEXEC) < 0) result = errno;
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  if (result == 0) {
    // Its ends: to read from of the first pipe, to write to of the others.
    for (int i = 0; i < 3 && result == 0; i++) result = posix_spawn_file_actions_adddup2(&actions, pipes[i][i == 0 ? 0 : 1], i);
    if (result == 0) result = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (result == 0) result = posix_spawn_file_actions_addchdir_np(&actions, directory);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  }
  if (result == 0) result = posix_spawn(&call->pid, argv[0], &actions, &attributes, (char *const *)argv, (char *const *)envp);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  const int ours[3] = {pipes[0][1], pipes[1][0], pipes[2][0]};
  const int theirs[3] = {pipes[0][0], pipes[1][1], pipes[2][1]};
  for (int i = 0; i < 3; i++) {
    if (theirs[i] >= 0) close(theirs[i]);
    if (result != 0 && ours[i] >= 0) close(ours[i]);
    if (result == 0) fcntl(ours[i], F_SETFL, O_NONBLOCK);
  }
  if (result != 0) return result;
  call->input = ours[0];
  call->output = ours[1];
  call->error = ours[2];
  return 0;
}
