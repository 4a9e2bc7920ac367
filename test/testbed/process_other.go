//go:build !linux

package testbed

import "syscall"

// attributes make a part a process group of its own. Only Linux can also tie
// its life to ours.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
