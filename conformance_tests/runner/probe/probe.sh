#!/bin/sh
# Plays a task: writes down what it sees into its output `report`, then does what its
# input `plan` says. Any shell of POSIX runs it, inside an image or outside.

task=-
case ${1-} in
  '' | --*) ;;
  *) task=$1 ;;
esac
printf 'probe ran %s\n' "$task"
printf 'probe out \377\376\n'
printf 'probe err \377\376\n' >&2

value=
# Finds the value of a parameter, $1, in the arguments that follow; the last one counts.
find_value() {
  wanted=$1
  shift
  value=
  for argument; do
    case $argument in
      "--$wanted="*) value=${argument#"--$wanted="} ;;
    esac
  done
}

find_value plan "$@"
plan=$value
find_value report "$@"
report=$value

if [ -n "$report" ] && mkdir -p "$report/content" "$report/listing"; then
  for argument; do
    printf '%s\n' "$argument"
  done > "$report/argv"
  printf '%s\n' "$0" > "$report/program"
  env > "$report/environment"
  cat /proc/self/mountinfo > "$report/mountinfo"
  cat /proc/net/route > "$report/routes"
  for device in /dev/nvidia* /dev/dxg; do
    [ -e "$device" ] && printf '%s\n' "$device"
  done > "$report/devices"
  pwd > "$report/cwd"
  id -u > "$report/user"
  cat "${0%/*}/context.txt" > "$report/context" 2> /dev/null
  position=0
  for argument; do
    position=$((position + 1))
    case $argument in
      --*=*) path=${argument#--*=} ;;
      *) continue ;;
    esac
    if [ -f "$path" ]; then
      cat "$path" > "$report/content/$position"
    elif [ -d "$path" ] && [ "$path" != "$report" ]; then
      ls -a "$path" > "$report/listing/$position"
    fi
  done
  : > "$report/done"
fi

# Writes until it is ended from outside, for some minutes at most.
beat() {
  beats=0
  while [ "$beats" -lt 1500 ]; do
    beats=$((beats + 1))
    echo "$beats" >> "$report/beats"
    sleep 0.2
  done
}

[ -f "$plan" ] || exit 0
while read -r order first second; do
  case $order in
    say) printf '%s\n' "$first $second" ;;
    exit) exit "$first" ;;
    kill)
      kill -9 $$
      # The first process of a container cannot kill itself.
      /bin/sh -c 'kill -9 $$'
      exit $?
      ;;
    hang)
      # Heard only by who is told of it; most ways of ending a task tell nothing.
      trap 'echo INT >> "$report/signals"; exit 130' INT
      trap 'echo TERM >> "$report/signals"; exit 143' TERM
      echo 'probe hangs'
      beat
      ;;
    fork)
      beat > /dev/null 2>&1 &
      # What comes next may end both at once.
      waits=0
      while [ ! -s "$report/beats" ] && [ "$waits" -lt 100 ]; do
        waits=$((waits + 1))
        sleep 0.1
      done
      ;;
    write)
      # Into a folder with the name $second, or to the file itself.
      find_value "$first" "$@"
      target=$value
      [ -d "$target" ] && target=$target/${second:-made}
      if { echo made > "$target"; } 2> /dev/null; then
        echo "$first yes" >> "$report/writes"
      else
        echo "$first no" >> "$report/writes"
      fi
      ;;
  esac
done < "$plan"
