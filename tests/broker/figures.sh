#!/bin/sh
# figures.sh PROGRAM: instructions for each message, by callgrind: (2N - N) / N, so that only what is per message counts.
set -eu
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$1" "$2" "$3" 2>&1 >/dev/null | sed -n 's/.*Collected : //p'
}
for what in publish deliver topic; do
    one=$(count "$1" $what 20000)
    two=$(count "$1" $what 40000)
    each=$(((two - one) / 20000))
    if [ $what = deliver ]; then # a delivered message was published before
        each=$((each - published))
    fi
    [ $what = publish ] && published=$each
    echo "$what: $each instructions a message; $("$1" $what 1000000)"
done
