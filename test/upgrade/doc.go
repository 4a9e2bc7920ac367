// Package upgrade holds tests of installs that an older version made: the new
// version changes what its manifests need, says so before, and keeps the rest.
package upgrade
