/// Scripts by which a shell completes the words of this tool, made from the tree of commands.
///
/// In each of them the words before the cursor are walked down the tree (options and what belongs to them are passed
/// over), and the place they lead to says what may follow.
enum Completions {
    enum Shell: String, CaseIterable {
        case bash, zsh, fish
    }

    /// A command, where it stands, and what its options take.
    private struct Place {
        let path: [String]
        let command: CommandSpec

        var name: String { path.joined(separator: " ") }

        var options: [OptionSpec] { command.allOptions }

        /// Every spelling of options that take the next word.
        var valued: [String] { options.filter { $0.value != nil }.flatMap(\.spellings) }
    }

    static func script(_ shell: Shell, root: CommandSpec) -> String {
        let places = places(root, path: [])
        return switch shell {
        case .bash: bash(places)
        case .zsh: zsh(places)
        case .fish: fish(places)
        }
    }

    /// `path` leads to the command; that of the root is empty.
    private static func places(_ command: CommandSpec, path: [String]) -> [Place] {
        [Place(path: path, command: command)]
            + command.subcommands.flatMap { places($0, path: path + [$0.name]) }
    }

    // MARK: bash and zsh

    /// Sets `place` to where the words before the cursor lead. `words` and `index` differ by shell.
    private static func walk(_ places: [Place], word: String, first: Int, end: String) -> [String] {
        var lines = [
            "    local place='' skip='' i",
            "    for (( i = \(first); i < \(end); i++ )); do",
            "        if [[ -n $skip ]]; then skip=''; continue; fi",
            "        case \"$place:\(word)\" in",
        ]
        for place in places where !place.path.isEmpty {
            let before = place.path.dropLast().joined(separator: " ")
            lines.append(
                "            '\(before):\(place.path.last ?? "")') place='\(place.name)';;")
        }
        let valued = Set(places.flatMap(\.valued)).sorted().map { "*:\($0)" }
        lines.append("            \(valued.joined(separator: "|"))) skip=1;;")
        return lines + ["        esac", "    done"]
    }

    private static func bash(_ places: [Place]) -> String {
        var lines = [
            "# bash completion of carillon: . <(carillon completions bash)", "_carillon() {",
        ]
        lines.append("    local cur=${COMP_WORDS[COMP_CWORD]} words=''")
        lines += walk(places, word: "${COMP_WORDS[i]}", first: 1, end: "COMP_CWORD")
        lines.append("    COMPREPLY=()")
        lines.append("    if [[ -n $skip ]]; then")
        lines.append("        case \"${COMP_WORDS[COMP_CWORD-1]}\" in")
        for (spellings, values) in choices(places) {
            lines.append(
                "            \(spellings.joined(separator: "|"))) words='\(values.joined(separator: " "))';;"
            )
        }
        lines.append("            *) compopt -o default; return;;")
        lines.append("        esac")
        lines.append("    else")
        lines.append("        case \"$place\" in")
        for place in places {
            let words =
                place.command.subcommands.map(\.name) + place.command.operands.flatMap(\.choices)
                + place.options.flatMap(\.spellings)
            lines.append("            '\(place.name)') words='\(words.joined(separator: " "))';;")
        }
        lines.append("        esac")
        lines.append("    fi")
        lines.append("    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))")
        lines.append("    [[ ${#COMPREPLY[@]} -gt 0 || $cur == -* ]] || compopt -o default")
        lines += ["}", "complete -F _carillon carillon"]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func zsh(_ places: [Place]) -> String {
        var lines = [
            "#compdef carillon", "# zsh completion of carillon: . <(carillon completions zsh)",
        ]
        lines.append("_carillon() {")
        lines += walk(places, word: "${words[i]}", first: 2, end: "CURRENT")
        lines.append("    local -a found")
        lines.append("    if [[ -n $skip ]]; then")
        lines.append("        case \"${words[CURRENT-1]}\" in")
        for (spellings, values) in choices(places) {
            lines.append(
                "            \(spellings.joined(separator: "|"))) compadd -- \(values.joined(separator: " "));;"
            )
        }
        lines.append("            *) _files;;")
        lines.append("        esac")
        lines.append("        return")
        lines.append("    fi")
        lines.append("    case \"$place\" in")
        for place in places {
            let commands =
                place.command.subcommands.map { ($0.name, $0.summary) }
                + place.command.operands.flatMap(\.choices).map { ($0, "") }
            let options = place.options.flatMap { option in
                option.spellings.map { ($0, option.summary) }
            }
            let items = (commands + options).map { name, summary in
                "'\(quoted(name + ":" + summary.replacing(":", with: "\\:")))'"
            }
            lines.append("        '\(place.name)') found=(\(items.joined(separator: " ")));;")
        }
        lines.append("    esac")
        lines.append("    _describe -o 'carillon' found || _files")
        lines += [
            "}",
            "if [[ $funcstack[1] == _carillon ]]; then _carillon \"$@\"; else compdef _carillon carillon; fi",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    /// Options whose values are a few words. One that means different things in different commands (`--overlap` of a
    /// schedule, and of a backfill) offers the words of all of them.
    private static func choices(_ places: [Place]) -> [(spellings: [String], values: [String])] {
        var found: [(spellings: [String], values: [String])] = []
        for option in places.flatMap(\.options) where !option.choices.isEmpty {
            guard let place = found.firstIndex(where: { $0.spellings == option.spellings }) else {
                found.append((option.spellings, option.choices))
                continue
            }
            let known = found[place].values
            found[place].values += option.choices.filter { !known.contains($0) }
        }
        return found
    }

    // MARK: fish

    private static func fish(_ places: [Place]) -> String {
        var lines = [
            "# fish completion of carillon: carillon completions fish | source",
            "function __carillon_place",
            "    set -l place ''",
            "    set -l skip ''",
            "    for word in (commandline -opc)[2..-1]",
            "        if test -n \"$skip\"; set skip ''; continue; end",
            "        switch \"$place:$word\"",
        ]
        for place in places where !place.path.isEmpty {
            let before = place.path.dropLast().joined(separator: " ")
            lines.append(
                "            case '\(before):\(place.path.last ?? "")'; set place '\(place.name)'")
        }
        let valued = Set(places.flatMap(\.valued)).sorted().map { "'*:\($0)'" }
        lines.append("            case \(valued.joined(separator: " ")); set skip 1")
        lines += ["        end", "    end", "    test \"$place\" = \"$argv[1]\"", "end"]
        for place in places {
            let condition = "complete -c carillon -n '__carillon_place \"\(place.name)\"'"
            for command in place.command.subcommands {
                lines.append("\(condition) -f -a \(command.name) -d '\(quoted(command.summary))'")
            }
            for word in place.command.operands.flatMap(\.choices) {
                lines.append("\(condition) -f -a \(word)")
            }
            for option in place.options {
                let short = option.short.map { " -s \($0)" } ?? ""
                let values = option.choices.joined(separator: " ")
                let takes =
                    option.value == nil ? "" : values.isEmpty ? " -r" : " -x -a '\(values)'"
                lines.append(
                    "\(condition) -l \(option.name)\(short)\(takes) -d '\(quoted(option.summary))'")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// For between single quotes.
    private static func quoted(_ text: String) -> String { text.replacing("'", with: "'\\''") }
}

extension OptionSpec {
    fileprivate var spellings: [String] { ["--" + name] + (short.map { ["-" + $0] } ?? []) }

    /// The words that its value can be; none: anything.
    fileprivate var choices: [String] {
        words.isEmpty ? CommandSpec.choices(value ?? "") : words
    }
}

extension OperandSpec {
    fileprivate var choices: [String] { CommandSpec.choices(name) }
}

extension CommandSpec {
    /// Of `table|json`; none if it is a single word, or a name for something else, as in `JSON|@FILE|-`.
    fileprivate static func choices(_ text: String) -> [String] {
        let words = text.split(separator: "|").map(String.init)
        let areWords = words.allSatisfy {
            $0.allSatisfy(\.isLetter) && $0.first?.isLowercase == true
        }
        return words.count > 1 && areWords ? words : []
    }
}

/// `carillon completions`.
enum CompletionsCommand {
    static let spec: CommandSpec = CommandSpec(
        name: "completions", summary: "print a script by which a shell completes commands",
        details: [
            "bash: . <(carillon completions bash)        in ~/.bashrc",
            "zsh:  . <(carillon completions zsh)         in ~/.zshrc, behind compinit",
            "fish: carillon completions fish | source    in ~/.config/fish/config.fish",
        ],
        operands: [OperandSpec(name: "bash|zsh|fish")], usesCluster: false,
        run: { (invocation) throws(CommandFailure) in
            guard let shell = Completions.Shell(rawValue: invocation.operands[0]) else {
                throw .usage("\(invocation.operands[0]): expected bash, zsh or fish")
            }
            invocation.console.write(Completions.script(shell, root: CommandTree.root))
            return 0
        })
}
