package awstest

import (
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Role is a role of a played IAM that keeps what it is told.
type Role struct {
	Path, Trust, Boundary string
	Tags, Inline          map[string]string
	Attached              []string
}

// Roles are the roles of a played IAM.
type Roles struct {
	mu     sync.Mutex
	roles  map[string]*Role
	refuse func(action string) bool
	hidden map[string]int // the status by the name
	// Policies are the managed policies that exist; each allows everything in S3.
	Policies []string
}

// KeepRoles makes the server keep roles. It answers in the words of IAM where something
// does not exist, and AccessDenied where Refuse says so.
func (s *Server) KeepRoles() *Roles {
	r := &Roles{roles: map[string]*Role{}, hidden: map[string]int{}}
	for _, action := range []string{
		"GetRole", "CreateRole", "TagRole", "UpdateAssumeRolePolicy", "PutRolePermissionsBoundary",
		"PutRolePolicy", "GetRolePolicy", "DeleteRolePolicy", "ListRolePolicies",
		"AttachRolePolicy", "DetachRolePolicy", "ListAttachedRolePolicies", "GetPolicy", "GetPolicyVersion",
		"DeleteRole", "ListInstanceProfilesForRole", "ListRoles",
	} {
		s.Handle(action, func(w http.ResponseWriter, q *http.Request) { r.serve(w, q) })
	}
	return r
}

// Refuse has the actions refused for which it is true; nil refuses none.
func (r *Roles) Refuse(which func(action string) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = which
}

// Hide has IAM not show a role, whether it exists or not: it answers with this status.
func (r *Roles) Hide(name string, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hidden[name] = status
}

// Role is a copy of a role; the zero value if it does not exist.
func (r *Roles) Role(name string) Role {
	r.mu.Lock()
	defer r.mu.Unlock()
	have, is := r.roles[name]
	if !is {
		return Role{}
	}
	role := *have
	role.Tags, role.Inline, role.Attached = maps.Clone(have.Tags), maps.Clone(have.Inline), slices.Clone(have.Attached)
	return role
}

// Remove has a role not exist.
func (r *Roles) Remove(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.roles, name)
}

func (r *Roles) serve(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	action, name := q.FormValue("Action"), q.FormValue("RoleName")
	role, exists := r.roles[name]
	arn := q.FormValue("PolicyArn") + q.FormValue("PermissionsBoundary")
	switch {
	case action == "GetRole" && r.hidden[name] == http.StatusInternalServerError:
		refuse(w, r.hidden[name], "ServiceFailure", "it failed")
		return
	case r.refuse != nil && r.refuse(action), action == "GetRole" && r.hidden[name] != 0:
		refuse(w, http.StatusForbidden, "AccessDenied", "User: me is not authorized to perform: iam:"+action+" on resource: role "+name)
		return
	case action == "CreateRole" && exists:
		refuse(w, http.StatusConflict, "EntityAlreadyExists", "Role with name "+name+" already exists.")
		return
	case action == "ListRoles":
		r.list(w, q.FormValue("PathPrefix"))
		return
	case action != "CreateRole" && !strings.HasPrefix(action, "GetPolicy") && !exists:
		refuse(w, http.StatusNotFound, "NoSuchEntity", "The role with name "+name+" cannot be found.")
		return
	case arn != "" && !slices.Contains(r.Policies, arn):
		refuse(w, http.StatusNotFound, "NoSuchEntity", "Policy "+arn+" does not exist or is not attachable.")
		return
	}
	if action == "CreateRole" {
		role = &Role{Path: q.FormValue("Path"), Trust: q.FormValue("AssumeRolePolicyDocument"), Boundary: arn, Tags: map[string]string{}, Inline: map[string]string{}}
		r.roles[name] = role
	}
	if action == "DeleteRole" {
		delete(r.roles, name)
	}
	body, found := role.do(action, q)
	if !found {
		refuse(w, http.StatusNotFound, "NoSuchEntity", "The role policy cannot be found.")
		return
	}
	_, _ = fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, body)
}

// list answers with the roles under a path.
func (r *Roles) list(w http.ResponseWriter, path string) {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(r.roles)) {
		if strings.HasPrefix(r.roles[name].Path, path) {
			role := r.roles[name].xml(name)
			all = append(all, strings.TrimSuffix(strings.TrimPrefix(role, "<Role>"), "</Role>"))
		}
	}
	_, _ = fmt.Fprintf(w, "<ListRolesResponse><ListRolesResult><IsTruncated>false</IsTruncated><Roles>%s</Roles></ListRolesResult></ListRolesResponse>", members(all, ""))
}

// All are copies of all roles, by name.
func (r *Roles) All() map[string]Role {
	r.mu.Lock()
	names := slices.Collect(maps.Keys(r.roles))
	r.mu.Unlock()
	all := map[string]Role{}
	for _, name := range names {
		all[name] = r.Role(name)
	}
	return all
}

// Put has a role exist.
func (r *Roles) Put(name string, role Role) {
	r.mu.Lock()
	defer r.mu.Unlock()
	role.Tags, role.Inline = maps.Clone(role.Tags), maps.Clone(role.Inline)
	for _, texts := range []*map[string]string{&role.Tags, &role.Inline} {
		if *texts == nil {
			*texts = map[string]string{}
		}
	}
	r.roles[name] = &role
}

// do carries out an action and gives the inside of its result.
func (role *Role) do(action string, q *http.Request) (body string, found bool) {
	policy := q.FormValue("PolicyName")
	switch action {
	case "CreateRole", "TagRole":
		for n := 1; q.FormValue(fmt.Sprintf("Tags.member.%d.Key", n)) != ""; n++ {
			role.Tags[q.FormValue(fmt.Sprintf("Tags.member.%d.Key", n))] = q.FormValue(fmt.Sprintf("Tags.member.%d.Value", n))
		}
		return role.xml(q.FormValue("RoleName")), true
	case "GetRole":
		return role.xml(q.FormValue("RoleName")), true
	case "ListInstanceProfilesForRole":
		return "<InstanceProfiles/><IsTruncated>false</IsTruncated>", true
	case "GetPolicy":
		return "<Policy><Arn>" + q.FormValue("PolicyArn") + "</Arn><DefaultVersionId>v1</DefaultVersionId></Policy>", true
	case "GetPolicyVersion":
		const allows = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
		return "<PolicyVersion><VersionId>v1</VersionId><Document>" + url.QueryEscape(allows) + "</Document></PolicyVersion>", true
	case "UpdateAssumeRolePolicy":
		role.Trust = q.FormValue("PolicyDocument")
	case "PutRolePermissionsBoundary":
		role.Boundary = q.FormValue("PermissionsBoundary")
	case "PutRolePolicy":
		role.Inline[policy] = q.FormValue("PolicyDocument")
	case "GetRolePolicy":
		text, is := role.Inline[policy]
		return "<PolicyName>" + policy + "</PolicyName><PolicyDocument>" + url.QueryEscape(text) + "</PolicyDocument>", is
	case "DeleteRolePolicy":
		delete(role.Inline, policy)
	case "ListRolePolicies":
		return "<PolicyNames>" + members(slices.Sorted(maps.Keys(role.Inline)), "") + "</PolicyNames><IsTruncated>false</IsTruncated>", true
	case "AttachRolePolicy":
		role.Attached = append(role.Attached, q.FormValue("PolicyArn"))
	case "DetachRolePolicy":
		role.Attached = slices.DeleteFunc(role.Attached, func(arn string) bool { return arn == q.FormValue("PolicyArn") })
	case "ListAttachedRolePolicies":
		return "<AttachedPolicies>" + members(role.Attached, "PolicyArn") + "</AttachedPolicies><IsTruncated>false</IsTruncated>", true
	}
	return "", true
}

func members(texts []string, in string) string {
	var all strings.Builder
	for _, text := range texts {
		if in != "" {
			text = "<" + in + ">" + text + "</" + in + ">"
		}
		all.WriteString("<member>" + text + "</member>")
	}
	return all.String()
}

func (role *Role) xml(name string) string {
	var tags strings.Builder
	for _, key := range slices.Sorted(maps.Keys(role.Tags)) {
		tags.WriteString("<member><Key>" + key + "</Key><Value>")
		_ = xml.EscapeText(&tags, []byte(role.Tags[key]))
		tags.WriteString("</Value></member>")
	}
	boundary := ""
	if role.Boundary != "" {
		boundary = "<PermissionsBoundary><PermissionsBoundaryArn>" + role.Boundary + "</PermissionsBoundaryArn></PermissionsBoundary>"
	}
	return "<Role><RoleName>" + name + "</RoleName><Path>" + role.Path + "</Path><Arn>arn:aws:iam::" + Account + ":role" + role.Path + name +
		"</Arn><CreateDate>2026-01-01T00:00:00Z</CreateDate><AssumeRolePolicyDocument>" + url.QueryEscape(role.Trust) + "</AssumeRolePolicyDocument>" + boundary + "<Tags>" + tags.String() + "</Tags></Role>"
}
