import Fuzzing
import WorkflowFuzzing

/// The readers of workflow files and expressions under random cases; a find is kept in `WorkflowFuzzTests.kept`.
@main
enum WorkflowFuzz {
  static func main() throws {
    let seeds = FuzzSeeds.load()
    print("fuzz  \(seeds.files.count) files and \(seeds.expressions.count) expressions to start from")
    try FuzzRun.main("WorkflowFuzz", memoryLimit: 1 << 30) { try WorkflowFuzzCase.run($0, seeds: seeds) }
  }
}
