package testbed

import "syscall"

// attributes make a part a process group of its own, and let the kernel kill
// it when the bed is killed without a chance to stop it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
