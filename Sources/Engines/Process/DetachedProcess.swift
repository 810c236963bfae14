internal import CProcess
internal import Foundation
internal import Glibc
internal import RunnerHub

/// A program to be run apart from this process, in its own session, known by its identity.
struct DetachedProcess {
  var path: String
  var arguments: [String]
  var environment: [String: String]
  var folder: String
  /// Where its standard output and error are appended.
  var output: String
  var limits: [ProcessLimit]

  /// Starts it in two steps: it is made and held, `record` writes down who it is, and only then it runs.
  ///
  /// When this process dies in between, or `record` says no, the held process ends without having run anything.
  /// - Returns: false where `record` returned false.
  func start(record: (ProcessIdentity) throws(EngineError) -> Bool) throws(EngineError) -> Bool {
    let file = open(output, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw .unavailable("cannot open \(output): \(systemError(errno))") }
    defer { close(file) }

    var held = rh_held()
    var failure = rh_failure()
    let result = withCStrings([path] + arguments) { argv in
      withCStrings(environment.map { "\($0.key)=\($0.value)" }.sorted()) { envp in
        path.withCString { path in
          folder.withCString { folder in
            limits.map(\.value).withUnsafeBufferPointer { limits in
              var command = rh_command(
                path: path, argv: argv, envp: envp, directory: folder, output: file, error: file, limits: limits.baseAddress,
                limit_count: limits.count)
              return rh_hold(&command, &held, &failure)
            }
          }
        }
      }
    }
    guard result == 0 else { throw Self.error(failure, path) }
    do throws(EngineError) {
      guard let identity = ProcessTable.identity(of: held.pid) else {
        throw .unavailable("the new process \(held.pid) is gone or /proc cannot be read")
      }
      guard try record(identity) else {
        rh_abandon(&held)
        return false
      }
    } catch {
      rh_abandon(&held)
      throw error
    }
    guard rh_release(&held, &failure) == 0 else { throw Self.error(failure, path) }
    return true
  }

  private static func error(_ failure: rh_failure, _ path: String) -> EngineError {
    .unavailable("cannot start \(path): \(String(cString: failure.call)): \(systemError(failure.error))")
  }

  /// The strings as a C array that ends with NULL, for the time of the call.
  private func withCStrings<Result>(_ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Result) -> Result {
    let pointers = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
  }
}
