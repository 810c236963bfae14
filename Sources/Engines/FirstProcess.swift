package import Foundation

/// PID 1 of runner environments, for engines that are not of this room.
package enum FirstProcess {
  /// `init.sh`, a POSIX shell script; what it expects stands at its beginning.
  package static var script: Data { Data(PackageResources.init_sh) }
}
