#!/bin/sh
# A worker for Carillon with one slot, made of the shell, curl and sed.
#
#     examples/worker.sh --server http://127.0.0.1:7201,http://127.0.0.1:7202 --id sh1
#
# Write your own handlers below: the payload is on standard input, the result (JSON) goes to standard output, and exit
# status 0 is success; what was written to standard error is the reason of a failure. docs/WORKERS.md says what a worker
# has to keep to. For more than one slot, or payloads that the shell has to look into, take another language.
set -u

run_handler() {
    case $1 in
    count-words)
        text=$(sed -n 's/.*"text": *"\(.*\)".*/\1/p')
        [ -n "$text" ] || { echo 'expected {"text": "…"}' >&2; return 1; }
        echo "{\"words\": $(echo "$text" | wc -w | tr -d ' ')}"
        ;;
    wait) exec sleep "$(sed 's/.*"ms": *\([0-9]*\).*/\1/' | awk '{ print $1 / 1000 }')" ;;
    *) echo "no handler $1" >&2; return 1 ;;
    esac
}
handlers='["count-words", "wait"]'

usage() { echo 'usage: worker.sh --id ID [--server URL[,URL…]]'; }
id=''
servers=http://127.0.0.1:7201
while [ $# -gt 0 ]; do
    case $1,$# in
    --id,1 | --server,1) usage >&2; exit 2 ;;
    --id,*) id=$2; shift 2 ;;
    --server,*) servers=$(printf %s "$2" | tr , ' '); shift 2 ;;
    -h,* | --help,*) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
done
[ -n "$id" ] || { usage >&2; exit 2; }

work=$(mktemp -d)
# put FILE TEXT: as a whole, because heartbeats read these files at any time.
put() {
    new=$(mktemp "$work/new.XXXXXX")
    printf '%s\n' "$2" >"$new"
    mv "$new" "$work/$1"
}
put server "${servers%% *}"
put running '[]'
beater=''
trap 'kill $beater 2>/dev/null; rm -rf "$work"' EXIT
trap 'touch "$work/leaving"' TERM INT

# call SECONDS METHOD PATH [BODY [KEY]]: prints the status and the answer's body on one line; fails if this node says nothing,
# and then the next node is asked the next time.
call() {
    server=$(cat "$work/server")
    if answer=$(curl -sS --max-time "$1" -X "$2" -w '\n%{http_code}' ${4:+-H 'content-type: application/json' -d "$4"} \
        ${5:+-H "idempotency-key: $5"} \
        "$server$3" 2>/dev/null); then
        status=$(printf '%s' "$answer" | tail -n 1)
        case $status in
        429 | 5??) ;;
        *) printf '%s %s\n' "$status" "$(printf '%s' "$answer" | sed '$d' | tr '\n' ' ')"; return 0 ;;
        esac
    fi
    next=${servers%% *}
    found=''
    for candidate in $servers; do
        [ -n "$found" ] && { next=$candidate; break; }
        [ "$candidate" = "$server" ] && found=yes
    done
    put server "$next"
    return 1
}

# The same, asking node after node until one answers; fails after a minute or so.
insist() {
    tries=0
    until call "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || return 1
        sleep 0.2
    done
}

# between TEXT BEGIN END: what stands between the first BEGIN and the END after it.
between() {
    rest=${1#*"$2"}
    printf '%s' "${rest%%"$3"*}"
}

attach() {
    # One key for all tries: one that was given up and comes late must not end the session of another.
    key=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
    answer=$(insist 15 POST /v1/workers "{\"id\": \"$id\", \"handlers\": $handlers, \"slots\": 1}" "$key") || return 1
    case $answer in 201*) ;; *) echo "refused: $answer" >&2; return 1 ;; esac
    put session "$(between "$answer" '"session":"' '"')"
    beat=$(between "$answer" '"heartbeat":"' 'ms"' | awk '{ print $1 / 1000 }')
}

stop_handler() {
    touch "$work/stopped"
    [ -s "$work/pid" ] && kill "$(cat "$work/pid")" 2>/dev/null
}

beat_forever() {
    misses=0
    while kill -0 $$ 2>/dev/null; do
        session=$(cat "$work/session")
        # A heartbeat waits for half of its interval. Two that fail in a row, the second one sent at once, take less than
        # the lease: whoever hears nothing from the cluster stops by itself, before its work is given to somebody else.
        half=$(awk "BEGIN { print $beat / 2 }")
        if answer=$(call "$half" POST "/v1/workers/$id/heartbeat" \
            "{\"session\": \"$session\", \"running\": $(cat "$work/running")}"); then
            misses=0
            rm -f "$work/unheard"
            case $answer in
            200*'"cancel":[]'*) ;;
            200*)
                # What it names may have ended meanwhile, and something else be running.
                current=$(tr -d '[]' <"$work/running")
                if [ -n "$current" ]; then
                    case $answer in *"$current"*) stop_handler ;; esac
                fi
                ;;
            409*session-lost* | 404*not-found*) stop_handler; attach || touch "$work/replaced" "$work/leaving" ;;
            *) echo "this worker is over: $answer" >&2; stop_handler; touch "$work/replaced" "$work/leaving"; return ;;
            esac
            sleep "$beat"
        else
            misses=$((misses + 1))
            if [ $misses -ge 2 ]; then touch "$work/unheard"; stop_handler; sleep 0.1; fi
        fi
    done
}

run() {
    task=$(between "$1" '"task":"' '"')
    attempt=$(between "$1" '"attempt":' ',')
    handler=$(between "$1" '"handler":"' '"')
    # What stands behind the payload holds no text of the user's, so its last end is the right one; but of a task that waited
    # for others their results, which must not hold this text.
    payload=${1#*'"payload":'}
    payload=${payload%,'"deadline":'*}
    rm -f "$work/stopped"
    put running "[{\"task\":\"$task\",\"attempt\":$attempt}]"
    printf '%s' "$payload" >"$work/in"
    run_handler "$handler" <"$work/in" >"$work/out" 2>"$work/error" &
    child=$!
    echo $child >"$work/pid"
    # A signal to this shell ends the waiting, and not the handler.
    while wait $child; code=$?; kill -0 $child 2>/dev/null; do :; done
    : >"$work/pid"
    if [ ! -e "$work/stopped" ]; then
        if [ $code -eq 0 ]; then
            result=$(cat "$work/out")
            report="\"outcome\": \"succeeded\", \"result\": ${result:-null}"
        else
            reason=$(head -c 1000 "$work/error" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g')
            report="\"outcome\": \"failed\", \"error\": \"exit $code: $reason\""
        fi
        insist 15 POST "/v1/tasks/$task/attempts/$attempt/finish" "{\"session\": \"$2\", $report}" >/dev/null
    fi
    # Named until its end is answered, lest it be handed out again.
    put running '[]'
}

attach || exit 1
beat_forever &
beater=$!
echo "$id is attached"
while [ ! -e "$work/leaving" ]; do
    session=$(cat "$work/session")
    answer=$(call 15 GET "/v1/workers/$id/assignments?session=$session&wait=2s") || { sleep 0.2; continue; }
    case $answer in
    # Who has lost the cluster begins nothing: the attempt may be on its way to others.
    200*'"task":'*) if [ -e "$work/unheard" ]; then sleep 0.2; else run "$answer" "$session"; fi ;;
    200*) ;;
    # The heartbeats hear of it as well, and know what to do.
    *) sleep 0.2 ;;
    esac
done
kill $beater 2>/dev/null
[ -e "$work/replaced" ] && exit 1
# One slot, and what ran is done: nothing is left to be waited for.
insist 15 DELETE "/v1/workers/$id?session=$(cat "$work/session")" >/dev/null
exit 0
