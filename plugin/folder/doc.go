// Package folder brings the files of a layout to the disk and keeps them there:
// it writes what is missing or stale, removes what an earlier run made and this
// one does not, and leaves everything else alone. The use case render calls it.
//
// A file is ours if its first line says so (layout.Made); nothing else is ever
// written over or removed. No link is followed out of the directory. It knows
// neither what the files say nor a cluster or a cloud.
package folder
