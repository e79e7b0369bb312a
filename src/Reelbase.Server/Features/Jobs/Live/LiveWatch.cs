using System.Text.Json;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Jobs.Live;

/// <summary>What somebody wants to hear of.</summary>
/// <param name="Jobs">These jobs, if they are the caller's.</param>
/// <param name="WantsStatus">Of these also what <c>get-video-status</c> answers, and their places in the queue.</param>
/// <param name="AllJobs">Every job of the caller, those to come too.</param>
/// <param name="Profile">The caller's own row of users.</param>
public sealed record LiveInterest(IReadOnlyCollection<Guid> Jobs, bool WantsStatus = false, bool AllJobs = false, bool Profile = false)
{
    /// <summary>Whether statuses are all that is wanted; of the rows themselves no more than that they are gone.</summary>
    public bool IsStatusAlone => WantsStatus && !AllJobs && !Profile;
}

/// <summary>A row that is different from what was last known of it.</summary>
/// <param name="Table"><c>video_jobs</c> or <c>users</c>.</param>
/// <param name="Type">INSERT, UPDATE or DELETE.</param>
/// <param name="Id">The row's key.</param>
/// <param name="Record">What the caller may read of it; undefined for one that is gone.</param>
/// <param name="At">When it was noticed.</param>
public sealed record LiveChange(string Table, string Type, Guid Id, JsonElement Record, DateTime At);

/// <summary>Hears from the hub, on the hub's own thread: whatever it does, it may not wait.</summary>
public interface ILiveListener
{
    /// <summary>From here on every change is heard of.</summary>
    void OnReady(LiveWatch watch) { }

    /// <summary>A row has changed.</summary>
    void OnChange(LiveWatch watch, LiveChange change) { }

    /// <summary>A job was read.</summary>
    void OnStatus(LiveWatch watch, JsonElement status) { }

    /// <summary>A waiting job has another place.</summary>
    void OnPlace(LiveWatch watch, Guid jobId, int place) { }

    /// <summary>The session has ended, or the account may not watch; nothing more comes.</summary>
    void OnEnd(LiveWatch watch, string reason);
}

/// <summary>One watcher at the hub, until it is disposed.</summary>
public sealed class LiveWatch : IDisposable
{
    private readonly LiveHub _hub;

    internal LiveWatch(LiveHub hub, Caller caller, LiveInterest interest, ILiveListener listener)
    {
        (_hub, Caller, Interest, Listener) = (hub, caller, interest, listener);
        SessionId = caller.SessionId;
    }

    internal Caller Caller { get; }
    internal LiveInterest Interest { get; }
    internal ILiveListener Listener { get; }
    internal Guid? SessionId { get; }
    internal bool IsReady { get; set; }
    internal LiveAudience? Audience { get; set; }

    internal bool Wants(Guid job) => Interest.AllJobs || Interest.Jobs.Contains(job);

    /// <inheritdoc/>
    public void Dispose() => _hub.Remove(this);
}
