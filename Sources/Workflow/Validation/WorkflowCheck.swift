extension WorkflowFile {
  /// Everything there is to say of a file, in the order of lines: what GitHub refuses it for, and what the rules find.
  public static func check(_ text: String, path: String, options: WorkflowOptions = WorkflowOptions()) -> [Diagnostic] {
    parse(text, path: path, options: options).diagnostics
  }
}
