# $1 is wait-for-bucket.js. Without node there is no way to ask for the bucket,
# and that is no reason to keep OSToy from starting.
if ! command -v node >/dev/null 2>&1; then
  echo "wait-for-bucket: this image has no node, so the bucket cannot be looked up; OSToy starts now and may miss it"
  exit 0
fi
exec node -e "$1"
