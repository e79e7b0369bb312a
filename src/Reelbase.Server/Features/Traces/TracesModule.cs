using Reelbase.Server.Platform.Modules;

namespace Reelbase.Server.Features.Traces;

/// <summary>A request and its work, by trace, in the console; it has no wiring of its own.</summary>
public sealed class TracesModule : IModule { }
