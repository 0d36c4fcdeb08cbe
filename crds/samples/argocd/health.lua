-- Health of a CachedModelService for Argo CD: goes into ConfigMap argocd-cm under the key
-- resource.customizations.health.layercache.io_CachedModelService. Lua 5.1, no libraries.
local waiting = { status = "Progressing", message = "The operator has not seen this generation yet." }
local status = obj.status
if status == nil or status.conditions == nil then
  return waiting
end
if status.observedGeneration ~= obj.metadata.generation then
  return waiting
end

local ready, stalled
for _, condition in ipairs(status.conditions) do
  if condition.type == "Ready" then ready = condition end
  if condition.type == "Stalled" then stalled = condition end
end

if ready == nil then
  return waiting
end
local message = ready.reason .. ": " .. ready.message
if stalled ~= nil and stalled.status == "True" then
  return { status = "Degraded", message = stalled.reason .. ": " .. stalled.message }
end
if ready.status == "True" then
  return { status = "Healthy", message = message }
end
if ready.reason == "Suspended" or ready.reason == "ScaledToZero" then
  return { status = "Suspended", message = message }
end
if ready.status == "Unknown" or ready.reason == "Starting" or ready.reason == "Updating" then
  return { status = "Progressing", message = message }
end
return { status = "Degraded", message = message }
