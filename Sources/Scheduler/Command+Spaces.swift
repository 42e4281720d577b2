/// Commands about templates.
///
/// ```
/// putTemplate  name string · body blob
/// ```
extension Command {
    /// Writes the fields of one of these commands.
    func encodeSpace(into writer: inout ByteWriter) {
        switch self {
        case .putTemplate(let name, let body):
            writer.put(name)
            writer.put(body)
        case .deleteTemplate(let name): writer.put(name)
        default: preconditionFailure("not a command about templates")
        }
    }

    init(space kind: Kind, from reader: inout ByteReader) throws(CodecError) {
        switch kind {
        case .putTemplate:
            let name = try reader.name("template")
            self = .putTemplate(name: name, body: try reader.templateBody())
        case .deleteTemplate: self = .deleteTemplate(name: try reader.name("template"))
        default: preconditionFailure("not a command about templates")
        }
    }
}
