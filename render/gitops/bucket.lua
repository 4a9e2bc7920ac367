local health = { status = "Progressing", message = "the ACK controller has not said anything yet" }
if obj.status == nil or obj.status.conditions == nil then
  return health
end
local ready = nil
local synced = nil
for _, condition in ipairs(obj.status.conditions) do
  local message = condition.message or ""
  if condition.status == "True" then
    if condition.type == "ACK.Terminal" then
      return { status = "Degraded", message = message }
    end
    -- These two are tried again for ever and never heal.
    if condition.type == "ACK.Recoverable" and
       (string.find(message, "BucketAlreadyExists", 1, true) or string.find(message, "InvalidBucketName", 1, true)) then
      return { status = "Degraded", message = message }
    end
    if condition.type == "ACK.Recoverable" then
      health.message = message
    end
  end
  if condition.type == "Ready" then
    ready = condition.status
  elseif condition.type == "ACK.ResourceSynced" then
    synced = condition.status
  end
end
-- Controllers before 1.1.2 do not know Ready.
if (ready or synced) == "True" then
  return { status = "Healthy", message = "synced" }
end
return health
