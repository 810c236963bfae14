import Domain
import Testing

@Suite("Labels")
struct LabelsTests {
  @Test("a runner may get a job if it has all of the job's labels, whatever their case and order, and whatever else it has")
  func satisfied() {
    let runner: Labels = ["self-hosted", "Linux", "docker", "x64"]
    let fitting: [Labels] = [[], ["LINUX"], ["x64", "docker"], ["docker", "linux", "self-hosted", "x64"]]
    let others: [Labels] = [["gpu"], ["linux", "arm64"], ["zz"], ["docker", "linux", "self-hosted", "x64", "y"], ["linu"]]
    #expect(fitting.allSatisfy { $0.isSatisfied(by: runner) })
    #expect(!others.contains { $0.isSatisfied(by: runner) })
    #expect(!runner.isSatisfied(by: []))
  }

  @Test("it is what sets say", arguments: 0..<20 as Range<UInt64>)
  func subsets(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let names = ["a", "ä", "a\u{308}", "b", "Б", "longer-than-fifteen-bytes", "longer-than-fifteen-byteß", "z", "1"]
    for _ in 0..<100 {
      let (job, runner) = (
        names.filter { _ in Bool.random(using: &random) }, names.filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
      )
      #expect(Labels(job).isSatisfied(by: Labels(runner)) == Set(Labels(job).values).isSubset(of: Labels(runner).values))
    }
  }
}
