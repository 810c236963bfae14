internal import CProcess
internal import Foundation
internal import Glibc

/// A plugin's process as the host holds it: its streams, the news of its end, and the line at which it lives.
struct LaunchedPlugin {
  let keeper: Int32
  let input: Int32
  let output: Int32
  let error: Int32
  let report: Int32
  let lifeline: Int32
  /// Where it sees its private directory.
  let directory: String
}

/// How a plugin's process is made: what it has of its own, and at which places it sees its files.
struct PluginLaunch {
  /// Where a plugin with a user of its own sees its two folders: it could not reach them below a folder that is root's alone. The mount is in a
  /// namespace of the plugin's.
  static let stage = "/run/runnerhub-plugin"

  private let program: PluginProgram
  private let separate: UInt32
  /// Folders as the plugin sees them.
  private let folder: String
  private let directory: String
  private let isStaged: Bool

  private init(_ program: PluginProgram, separate: UInt32) {
    self.program = program
    self.separate = separate
    isStaged = program.user != nil && separate & UInt32(RH_OWN_MOUNTS) != 0
    folder = isStaged ? Self.stage + "/plugin" : Self.path(program.folder)
    directory = isStaged ? Self.stage + "/data" : Self.path(program.directory)
  }

  /// Starts the program with as much of its own as this kernel and user allow. Blocks for some milliseconds.
  /// - Throws: `notRunning` with the reason; also where it could not be kept from the network, and may not have it.
  static func start(_ program: PluginProgram) throws(PluginError) -> LaunchedPlugin {
    let ownNetwork = program.abilities.contains(.network) ? 0 : UInt32(RH_OWN_NETWORK)
    let users = geteuid() == 0 ? 0 : UInt32(RH_OWN_USERS)
    do {
      let processes = UInt32(program.leavesChildren ? RH_LEAVES_CHILDREN : RH_OWN_PROCESSES)
      return try PluginLaunch(program, separate: users | processes | UInt32(RH_OWN_MOUNTS) | ownNetwork).start()
    } catch let refusal where refusal.isOfNamespaces {
      guard ownNetwork == 0 else {
        throw .notRunning(
          "it may not use the network, and this machine gives RunnerHub no namespace to keep it from it (\(refusal.text)): run RunnerHub as root, allow user namespaces, or grant network"
        )
      }
      do {
        return try PluginLaunch(program, separate: program.leavesChildren ? UInt32(RH_LEAVES_CHILDREN) : 0).start()
      } catch {
        throw .notRunning(error.text)
      }
    } catch {
      throw .notRunning(error.text)
    }
  }

  private struct Refusal: Error {
    var call: String
    var number: Int32
    var path: String
    var isOfNamespaces: Bool { call == "clone" && [EPERM, EINVAL, ENOSYS, ENOSPC, EUSERS].contains(number) }
    var text: String {
      let reason = "\(path) cannot be started: \(call): \(String(cString: strerror(number)))"
      return switch (call, number) {
      case ("execve", EACCES): reason + "; its user must be allowed to read and run it (chmod -R a+rX of the plugin's folder)"
      case ("chdir", EACCES): reason + "; its user cannot reach its directory, since no mounts of its own can be made here"
      default: reason
      }
    }
  }

  private func start() throws(Refusal) -> LaunchedPlugin {
    guard let first = program.command.first else { throw Refusal(call: "execve", number: ENOENT, path: "an empty command") }
    let real = Self.path(program.folder)
    // Files of the folder are named where the folder is seen.
    let words = program.command.map { isStaged && $0.hasPrefix(real + "/") ? folder + $0.dropFirst(real.count) : $0 }
    var process = rh_plugin_process()
    var failure = rh_failure()
    let user = program.user ?? 0
    let countsProcesses = program.user != nil || separate & UInt32(RH_OWN_USERS) != 0
    // They would hold for what is to outlive it; and under Landlock nothing can be mounted, which containers are made of.
    let limits = program.leavesChildren ? [] : program.bounds.limits(countsProcesses: countsProcesses)
    let result = CStrings.with(words) { argv in
      CStrings.with(program.variables(directory: directory).map { "\($0.key)=\($0.value)" }.sorted()) { envp in
        CStrings.with(program.readable(folder: folder) + words.prefix(1)) { readable in
          CStrings.with(program.writable(directory: directory)) { writable in
            CStrings.with([
              real, Self.path(program.directory), Self.stage, folder, directory, "\(geteuid()) \(geteuid()) 1\n",
              "\(getegid()) \(getegid()) 1\n",
            ]) { texts in
              limits.withUnsafeBufferPointer { limits in
                var plugin = rh_plugin(
                  path: argv[0], argv: argv, envp: envp, folder: texts[0], directory: texts[1], stage: isStaged ? texts[2] : nil,
                  stage_folder: texts[3], stage_directory: texts[4], user: user, group: user, separate: separate, user_map: texts[5],
                  group_map: texts[6], nice: 5, limits: limits.baseAddress, limit_count: limits.count,
                  readable: program.leavesChildren ? nil : CStrings.constant(readable), writable: CStrings.constant(writable))
                return rh_plugin_start(&plugin, &process, &failure)
              }
            }
          }
        }
      }
    }
    guard result == 0 else { throw Refusal(call: String(cString: failure.call), number: failure.error, path: first) }
    return LaunchedPlugin(
      keeper: process.keeper, input: process.input, output: process.output, error: process.error, report: process.report,
      lifeline: process.lifeline, directory: directory)
  }

  private static func path(_ url: URL) -> String {
    let path = url.path(percentEncoded: false)
    return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }
}

/// Lists of strings as C wants them: ended by NULL, for the time of a call.
private enum CStrings {
  typealias List = UnsafePointer<UnsafeMutablePointer<CChar>?>

  static func with<Result>(_ strings: [String], _ body: (List) -> Result) -> Result {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
    pointers[strings.count] = nil
    defer {
      for index in strings.indices { free(pointers[index]) }
      pointers.deallocate()
    }
    return body(pointers)
  }

  static func constant(_ list: List) -> UnsafePointer<UnsafePointer<CChar>?> {
    UnsafeRawPointer(list).assumingMemoryBound(to: UnsafePointer<CChar>?.self)
  }
}
