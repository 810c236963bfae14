#define _GNU_SOURCE
#include "CProcess.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// A folder below is not entered where it lies: it is moved up beside the others first. So no path grows long, no descriptor stays open per
// level, and a mount (which rename refuses with EBUSY) is reported instead of emptied. Two callers may remove the same folder at once.

static int is_folder(int parent, const char *name) {
  struct stat facts;
  return fstatat(parent, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(facts.st_mode);
}

static int is_dots(const char *name) {
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/// Opens a folder for listing and changing, also where its mode forbade that (Go's module cache is read-only).
static DIR *open_folder(int parent, const char *name) {
  (void)fchmodat(parent, name, 0700, 0);
  const int descriptor = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return NULL;
  DIR *folder = fdopendir(descriptor);
  if (folder == NULL) close(descriptor);
  return folder;
}

static int move_up(int from, const char *name, int top, unsigned long *counter) {
  char fresh[40];
  (void)fchmodat(from, name, 0700, 0);
  int result;
  do {
    snprintf(fresh, sizeof fresh, "moved-%lu", (*counter)++);
    result = renameat2(from, name, top, fresh, RENAME_NOREPLACE);
  } while (result < 0 && errno == EEXIST);
  return result < 0 && errno == ENOENT ? 0 : result;
}

/// Unlinks the files of one folder and moves its folders up. Returns the name of the call that failed, or NULL.
static const char *flatten(int top, const char *name, unsigned long *counter) {
  DIR *folder = open_folder(top, name);
  if (folder == NULL) return errno == ENOENT ? NULL : "open folder";
  const char *call = NULL;
  int error = 0;
  struct dirent *entry;
  while (call == NULL && (errno = 0, entry = readdir(folder)) != NULL) {
    if (is_dots(entry->d_name)) continue;
    if (is_folder(dirfd(folder), entry->d_name)) {
      if (move_up(dirfd(folder), entry->d_name, top, counter) < 0) call = "rename", error = errno;
    } else if (unlinkat(dirfd(folder), entry->d_name, 0) < 0 && errno != ENOENT) {
      call = "unlink", error = errno;
    }
  }
  closedir(folder);
  errno = error;
  return call;
}

int rh_remove_tree(const char *path, struct rh_failure *failure) {
  DIR *top = open_folder(AT_FDCWD, path);
  if (top == NULL && errno == ENOENT) return 0;
  const char *call = top == NULL ? "open folder" : NULL;
  unsigned long counter = 0;
  int found = 1;
  while (call == NULL && found) {
    found = 0;
    rewinddir(top);
    struct dirent *entry;
    while (call == NULL && (entry = readdir(top)) != NULL) {
      if (is_dots(entry->d_name)) continue;
      found = 1;
      if (!is_folder(dirfd(top), entry->d_name)) {
        if (unlinkat(dirfd(top), entry->d_name, 0) < 0 && errno != ENOENT) call = "unlink";
        continue;
      }
      call = flatten(dirfd(top), entry->d_name, &counter);
      // Not empty: files came to light late in the listing; the next round takes them.
      const int error = call != NULL || unlinkat(dirfd(top), entry->d_name, AT_REMOVEDIR) == 0 ? 0 : errno;
      if (error != 0 && error != ENOTEMPTY && error != EEXIST && error != ENOENT) call = "rmdir";
    }
  }
  if (call == NULL && rmdir(path) < 0 && errno != ENOENT) call = "rmdir";
  const int error = errno;
  if (top != NULL) closedir(top);
  if (call == NULL) return 0;
  failure->call = call;
  failure->error = error;
  return -1;
}

// MARK: - Size

/// What one entry takes: its blocks, of which each name of it bears a part, and at least what a name costs.
static int64_t taken_by(const struct stat *facts) {
  const int64_t least = 4096, blocks = (int64_t)facts->st_blocks * 512;
  const int64_t part = S_ISDIR(facts->st_mode) || facts->st_nlink < 2 ? blocks : blocks / (int64_t)facts->st_nlink;
  return part > least ? part : least;
}

/// Whether what could not be looked at takes nothing: it is gone, or no folder any more. So it is where the caller has too little for it, which is not the
/// folder's doing. Anything else may hide what it takes, by its mode.
static int counts_nothing(int error) {
  return error == ENOENT || error == ENOTDIR || error == ELOOP || error == EMFILE || error == ENFILE || error == ENOMEM;
}

int64_t rh_tree_size(const char *path, int64_t bound) {
  enum { deepest = 64 };
  DIR *open[deepest];
  int depth = 0;
  int64_t size = 0;
  const int top = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (top < 0 && !counts_nothing(errno)) size = bound + 1;
  struct stat facts;
  dev_t device = 0;
  if (top >= 0 && fstat(top, &facts) == 0) device = facts.st_dev;
  if (top >= 0 && (open[0] = fdopendir(top)) != NULL) depth = 1;
  else if (top >= 0) close(top);
  while (depth > 0 && size <= bound) {
    const struct dirent *entry = readdir(open[depth - 1]);
    if (entry == NULL) {
      closedir(open[--depth]);
      continue;
    }
    const int folder = dirfd(open[depth - 1]);
    if (is_dots(entry->d_name)) continue;
    if (fstatat(folder, entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) < 0) {
      if (!counts_nothing(errno)) size = bound + 1;
      continue;
    }
    size += taken_by(&facts);
    if (!S_ISDIR(facts.st_mode) || facts.st_dev != device) continue;
    if (depth == deepest) {
      size = bound + 1;
      break;
    }
    const int below = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0 && !counts_nothing(errno)) size = bound + 1;
    DIR *listing = below < 0 ? NULL : fdopendir(below);
    if (listing != NULL) open[depth++] = listing;
    else if (below >= 0) close(below);
  }
  while (depth > 0) closedir(open[--depth]);
  return size;
}
