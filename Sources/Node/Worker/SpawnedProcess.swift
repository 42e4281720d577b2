import CLinux
import Glibc

/// A process just launched, with our ends of its pipes: all of them non-blocking and closed on exec.
///
/// The unsafe code of launching is confined to this file: C wants its argument vectors and spawn
/// attributes by pointer.
struct SpawnedProcess: ~Copyable, Sendable {
    let id: pid_t
    /// Becomes readable when the process ends.
    let handle: Descriptor
    let input: Descriptor
    let output: Descriptor
    let error: Descriptor
    /// Descriptor 3 of the process.
    let progress: Descriptor

    /// Launches an executable in a process group of its own, with all signals unblocked and at their
    /// defaults, and no descriptor of ours but the pipes at 0 to 3.
    ///
    /// The error's code is the `errno` of what failed; ENOENT and EACCES mean the executable.
    static func launch(
        arguments: [String], environment: [String]
    ) throws(IOError) -> SpawnedProcess {
        precondition(!arguments.isEmpty, "the first argument is the executable")
        let input = try Pipe()
        let output = try Pipe()
        let error = try Pipe()
        let progress = try Pipe()
        try makeNonBlocking(input.writing)
        try makeNonBlocking(output.reading)
        try makeNonBlocking(error.reading)
        try makeNonBlocking(progress.reading)
        let id = try spawn(
            arguments, environment,
            descriptors: [
                input.reading.number, output.writing.number, error.writing.number,
                progress.writing.number,
            ])
        let number = carillon_pidfd_open(id, 0)
        guard number >= 0 else {
            let code = errno
            end(id)
            throw IOError("pidfd_open", code: code, subject: arguments[0])
        }
        return SpawnedProcess(
            id: id, handle: Descriptor(adopting: number), input: input.writing,
            output: output.reading, error: error.reading, progress: progress.reading)
    }

    /// Ends the process by force and reaps it.
    consuming func end() { SpawnedProcess.end(id) }

    /// Ends the group of a process that was not reaped yet, so that the number is still its own, and
    /// reaps it.
    static func end(_ id: pid_t) {
        kill(-id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
    }

    private init(
        id: pid_t, handle: consuming Descriptor, input: consuming Descriptor,
        output: consuming Descriptor, error: consuming Descriptor, progress: consuming Descriptor
    ) {
        self.id = id
        self.handle = handle
        self.input = input
        self.output = output
        self.error = error
        self.progress = progress
    }

    private struct Pipe: ~Copyable {
        let reading: Descriptor
        let writing: Descriptor

        init() throws(IOError) {
            var numbers: [Int32] = [-1, -1]
            guard pipe2(&numbers, O_CLOEXEC) == 0 else { throw IOError("pipe2", code: errno) }
            // Both have an owner before anything can fail.
            let one = Descriptor(adopting: numbers[0])
            let other = Descriptor(adopting: numbers[1])
            let reading = try SpawnedProcess.aboveStandard(one)
            let writing = try SpawnedProcess.aboveStandard(other)
            self.reading = reading
            self.writing = writing
        }
    }

    /// Numbers 0 to 3 are where the child's ends go: an end that lay there, because this process was
    /// started without standard descriptors, would be overwritten by another before its turn came.
    private static func aboveStandard(
        _ descriptor: consuming Descriptor
    ) throws(IOError) -> Descriptor {
        if descriptor.number > 3 { return descriptor }
        let number = fcntl(descriptor.number, F_DUPFD_CLOEXEC, 4)
        guard number >= 0 else { throw IOError("fcntl", code: errno) }
        return Descriptor(adopting: number)
    }

    private static func makeNonBlocking(_ descriptor: borrowing Descriptor) throws(IOError) {
        // A new pipe has no other flags that can be set.
        guard fcntl(descriptor.number, F_SETFL, O_NONBLOCK) == 0 else {
            throw IOError("fcntl", code: errno)
        }
    }

    private static func spawn(
        _ arguments: [String], _ environment: [String], descriptors: [Int32]
    ) throws(IOError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        var code = posix_spawn_file_actions_init(&actions)
        guard code == 0 else { throw IOError("posix_spawn", code: code, subject: arguments[0]) }
        defer { posix_spawn_file_actions_destroy(&actions) }
        code = posix_spawnattr_init(&attributes)
        guard code == 0 else { throw IOError("posix_spawn", code: code, subject: arguments[0]) }
        defer { posix_spawnattr_destroy(&attributes) }
        for (target, descriptor) in descriptors.enumerated() where code == 0 {
            code = posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        // What some library opened without O_CLOEXEC must not reach a task either.
        if code == 0 { code = posix_spawn_file_actions_addclosefrom_np(&actions, 4) }
        if code == 0 { code = configure(&attributes) }
        guard code == 0 else { throw IOError("posix_spawn", code: code, subject: arguments[0]) }
        let argumentVector = CStringVector(arguments)
        let environmentVector = CStringVector(environment)
        var id: pid_t = 0
        code = posix_spawnp(
            &id, arguments[0], &actions, &attributes, argumentVector.pointers,
            environmentVector.pointers)
        guard code == 0 else { throw IOError("posix_spawn", code: code, subject: arguments[0]) }
        return id
    }

    private static func configure(_ attributes: inout posix_spawnattr_t) -> Int32 {
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        sigdelset(&all, SIGKILL)
        sigdelset(&all, SIGSTOP)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        var code = posix_spawnattr_setflags(&attributes, Int16(flags))
        if code == 0 { code = posix_spawnattr_setpgroup(&attributes, 0) }
        // The loop's thread blocks SIGTERM; a child that inherited that could not be ended by it.
        if code == 0 { code = posix_spawnattr_setsigmask(&attributes, &none) }
        if code == 0 { code = posix_spawnattr_setsigdefault(&attributes, &all) }
        return code
    }
}

/// A null-terminated vector of C strings.
private struct CStringVector: ~Copyable {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        pointers = .allocate(capacity: count + 1)
        for (index, text) in texts.enumerated() {
            (pointers + index).initialize(to: strdup(text))
        }
        (pointers + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { free(pointers[index]) }
        pointers.deallocate()
    }
}
