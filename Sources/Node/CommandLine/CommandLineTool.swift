/// The entry of the `carillon` executable.
public enum CommandLineTool {
    public static func main() {
    }
}
