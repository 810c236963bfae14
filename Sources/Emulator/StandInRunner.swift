/// The stand-in runner: a POSIX shell script that keeps the contract of GitHub's runner towards RunnerHub, and speaks to the emulator.
package enum StandInRunner {
  /// What goes into the root of the image `stand-in`, where the registration's files are put beside it.
  package static let files: [(path: String, contents: [UInt8], mode: UInt16)] = [("run.sh", PackageResources.run_sh, 0o755)]
}
