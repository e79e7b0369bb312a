namespace Reelbase.Server.Platform.Work;

/// <summary>
/// Background work that begins with the host, because a request may depend on it. All else begins once the node has said that it is ready
/// (<see cref="WorkAfterReady"/>): what it compiles would hold the first answers up.
/// </summary>
public interface IBeforeReady : IHostedService;
