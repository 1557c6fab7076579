#!/bin/sh
# The tasks of the cube: each gets its name and the paths of its parameters.
set -eu

task=$1
shift
for each in "$@"; do
    case $each in
        --text=*) text=${each#*=} ;;
        --counts=*) counts=${each#*=} ;;
        --word=*) word=${each#*=} ;;
        *) echo "unknown parameter: $each" >&2 && exit 2 ;;
    esac
done

case $task in
    count)
        [ -r "$text" ] || { echo "no text at $text" >&2 && exit 1; }
        tr -cs 'A-Za-z' '\n' <"$text" | tr 'A-Z' 'a-z' | sort | uniq -c |
            sort -k1,1nr -k2 >"$counts/words.txt"
        echo "$(wc -l <"$counts/words.txt") words"
        ;;
    most) awk 'NR == 1 { print $2 }' "$counts/words.txt" >"$word" ;;
    *) echo "unknown task: $task" >&2 && exit 2 ;;
esac
