using System.Text.Json;
using Reelbase.Server.Features.Jobs.Live;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>One channel of a socket: what was joined for, as whom, and until when. Guarded by the socket's lock.</summary>
internal sealed class RealtimeChannel(RealtimeSocket socket, RealtimeMessage join, IReadOnlyList<ChangeEntry> entries) : ILiveListener
{
    private const string Prefix = "realtime:";

    private LiveWatch? _watch;

    // Copied: the join itself holds its whole payload, token and all, and a channel may live for hours.
    public string Topic { get; } = join.Topic;
    public string? JoinRef { get; } = join.JoinRef ?? join.Ref;

    /// <summary>Number of the join while its reply is held back; null afterwards.</summary>
    public string? PendingRef { get; private set; } = join.Ref ?? join.JoinRef;

    public bool IsPending { get; private set; } = true;
    public long JoinedAt { get; init; }

    /// <summary>The user that it speaks for; null for one who sees nothing.</summary>
    public Guid? UserId { get; private set; }

    /// <summary>When the token ends; null for a key, which opens nothing.</summary>
    public DateTime? EndsAt { get; private set; }

    public int Bytes { get; } = 200 + (2 * join.Topic.Length) + entries.Sum(entry => entry.Bytes);

    private Guid? SessionId { get; set; }

    public static bool IsTopic(string topic) => topic.Length is > 9 and <= RealtimeMessage.MaxTopicLength && topic.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Whether a token is of who this channel speaks for already.</summary>
    public bool IsOf(Caller caller) => caller.UserId == UserId && caller.SessionId == SessionId;

    /// <summary>Goes on with a newer token of the same session.</summary>
    public void Extend(Caller caller) => EndsAt = EndOf(caller);

    /// <summary>Speaks for a caller from here on. Whoever has nothing to wait for is ready at once.</summary>
    public void Begin(Caller caller, LiveHub hub)
    {
        Stop();
        (UserId, SessionId, EndsAt) = (caller.UserId, caller.SessionId, EndOf(caller));
        if (caller.UserId is not null && entries.Count > 0)
        {
            _watch = hub.Watch(caller, ChangeEntry.Interest(entries), this);
        }
        else
        {
            Ready();
        }
    }

    /// <summary>Hears nothing any more.</summary>
    public void Stop()
    {
        _watch?.Dispose();
        _watch = null;
    }

    /// <summary>Ends it, and says why as its client can read it.</summary>
    public void End(string reason)
    {
        Stop();
        if (IsPending)
        {
            Refuse(reason);
            return;
        }
        System("system", "error", reason);
        socket.Send(JoinRef, null, Topic, "phx_close");
    }

    /// <summary>Answers the join with a refusal.</summary>
    public void Refuse(string reason)
    {
        socket.Reply(JoinRef, PendingRef, Topic, reason);
        (IsPending, PendingRef) = (false, null);
    }

    /// <inheritdoc/>
    public void OnReady(LiveWatch watch) => socket.Locked(this, () => IfCurrent(watch, Ready));

    /// <inheritdoc/>
    public void OnChange(LiveWatch watch, LiveChange change) => socket.Locked(this, () => IfCurrent(watch, () => Send(change)));

    /// <inheritdoc/>
    public void OnEnd(LiveWatch watch, string reason) =>
        socket.Locked(
            this,
            () =>
                IfCurrent(
                    watch,
                    () =>
                        socket.Remove(
                            this,
                            reason switch
                            {
                                "banned" => "This account is closed",
                                "no_such_user" => "There is no such user any more",
                                _ => "The session has ended",
                            }
                        )
                )
        );

    /// <summary>What came for an earlier watch of this channel is not for this one.</summary>
    private void IfCurrent(LiveWatch watch, Action action)
    {
        if (watch == _watch)
        {
            action();
        }
    }

    private void Ready()
    {
        if (IsPending)
        {
            socket.Send(
                JoinRef,
                PendingRef,
                Topic,
                "phx_reply",
                json =>
                {
                    json.WriteString("status", "ok");
                    json.WriteStartObject("response");
                    json.WriteStartArray("postgres_changes");
                    foreach (var entry in entries)
                    {
                        entry.Write(json);
                    }
                    json.WriteEndArray();
                    json.WriteEndObject();
                }
            );
            (IsPending, PendingRef) = (false, null);
        }
        if (entries.Count > 0)
        {
            System("postgres_changes", "ok", "Subscribed to PostgreSQL");
        }
    }

    private void Send(LiveChange change)
    {
        // Entries that want the same columns share a message.
        foreach (var group in entries.Where(entry => entry.Wants(change)).GroupBy(entry => entry.Columns is null ? "" : string.Join(',', entry.Columns)))
        {
            var wanted = group.First().Columns;
            var columns = socket.ColumnsOf(change.Table);
            socket.Send(
                null,
                null,
                Topic,
                "postgres_changes",
                json =>
                    socket.Records.Write(
                        json,
                        change,
                        group.Select(entry => entry.Id),
                        wanted is null ? columns : [.. columns.Where(column => wanted.Contains(column.ColumnName))],
                        socket.Server
                    )
            );
        }
    }

    /// <summary>A message of the system about this channel.</summary>
    public void System(string extension, string status, string message) =>
        socket.Send(
            null,
            null,
            Topic,
            "system",
            json =>
            {
                json.WriteString("extension", extension);
                json.WriteString("status", status);
                json.WriteString("message", message);
                json.WriteString("channel", Topic[Prefix.Length..]);
            }
        );

    private static DateTime? EndOf(Caller caller)
    {
        if (caller.UserId is null)
        {
            return null;
        }
        using var claims = JsonDocument.Parse(caller.Claims);
        return DateTimeOffset.FromUnixTimeSeconds(claims.RootElement.GetProperty("exp").GetInt64()).UtcDateTime;
    }
}
