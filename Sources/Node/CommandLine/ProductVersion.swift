/// The version of this executable.
enum ProductVersion {
    static let text = "0.1.0"
}
