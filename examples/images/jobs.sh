# Does something now and then. A shell acts upon TERM between two commands: brood sends it to the sleep as well.
trap 'echo "jobs: bye"; exit 0' TERM
echo 'jobs: ready'
while :; do sleep 30; done
