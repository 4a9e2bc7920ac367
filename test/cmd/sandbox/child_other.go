//go:build !linux

package main

import "syscall"

// child needs nothing here: only Linux can tie its life to ours.
func child() *syscall.SysProcAttr { return nil }
