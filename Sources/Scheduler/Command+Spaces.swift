/// Commands about templates and namespaces.
///
/// ```
/// putTemplate   name string · body blob
/// putNamespace  name string · quota, see `NamespaceRecord` · retention, see `NamespaceRetention`
/// ```
extension Command {
    /// Writes the fields of one of these commands.
    func encodeSpace(into writer: inout ByteWriter) {
        switch self {
        case .putTemplate(let name, let body):
            writer.put(name)
            writer.put(body)
        case .putNamespace(let name, let quota, let retention):
            writer.put(name)
            quota.encode(into: &writer)
            retention.encode(into: &writer)
        case .deleteTemplate(let name), .deleteNamespace(let name): writer.put(name)
        default: preconditionFailure("not a command about templates or namespaces")
        }
    }

    init(space kind: Kind, from reader: inout ByteReader) throws(CodecError) {
        switch kind {
        case .putTemplate:
            let name = try reader.name("template")
            self = .putTemplate(name: name, body: try reader.templateBody())
        case .deleteTemplate: self = .deleteTemplate(name: try reader.name("template"))
        case .putNamespace:
            let name = try reader.name("namespace")
            let quota = try NamespaceQuota(from: &reader)
            let retention = try NamespaceRetention(from: &reader)
            self = .putNamespace(name: name, quota, retention: retention)
        case .deleteNamespace: self = .deleteNamespace(name: try reader.name("namespace"))
        default: preconditionFailure("not a command about templates or namespaces")
        }
    }
}
