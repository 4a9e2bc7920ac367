package main

import "syscall"

// child ends with us even if we are killed. It stays in our process group: it
// may want the terminal.
func child() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
