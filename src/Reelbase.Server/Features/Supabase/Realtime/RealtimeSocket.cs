using System.Buffers;
using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using Reelbase.Server.Platform.Database;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>One client's socket: reads its messages one after the other, and sends without ever being waited for.</summary>
internal sealed partial class RealtimeSocket
{
    private const int FirstBufferBytes = 4096;
    private static readonly TimeSpan CloseLimit = TimeSpan.FromSeconds(5);

    private readonly RealtimeSockets _home;
    private readonly HttpContext _context;
    private readonly WebSocket _socket;
    private readonly Caller _keyCaller;
    private readonly IPAddress? _address;
    private readonly bool _isVersion2;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RealtimeChannel> _channels = new(1, StringComparer.Ordinal);
    private readonly List<(Guid User, IDisposable Place)> _places = new(1);
    private readonly RealtimeOutbox _outbox;
    private TokenBucket _messages;
    private TokenBucket _joins;
    private IReadOnlyDictionary<string, IReadOnlyList<LiveColumn>> _tables = new Dictionary<string, IReadOnlyList<LiveColumn>>();
    private long _heardAt;
    private long _userlessSince;
    private long _closingAt;
    private long _entries;
    private bool _isOver;

    public RealtimeSocket(RealtimeSockets home, HttpContext context, WebSocket socket, Caller keyCaller, bool isVersion2, string server)
    {
        (_home, _context, _socket, _keyCaller, _isVersion2, Server) = (home, context, socket, keyCaller, isVersion2, server);
        _address = context.Connection.RemoteIpAddress;
        _outbox = new(socket, home.Options.SendBufferBytesPerSocket, Drop);
        _heardAt = _userlessSince = home.Clock.GetTimestamp();
        _messages = new(home.Options.MessagesPerSecond);
        _joins = new(home.Options.JoinsPerSecondPerSocket);
    }

    /// <summary>The address of this server as this client knows it.</summary>
    public string Server { get; }

    public ChangeRecord Records => _home.Records;

    public IReadOnlyList<LiveColumn> ColumnsOf(string table) => _tables[table];

    /// <summary>Reads until the client goes, breaks a rule, or is dropped.</summary>
    public async Task RunAsync()
    {
        try
        {
            while (await ReceiveAsync()) { }
        }
        catch (Exception error)
            when (error is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The client has gone, or was dropped.
        }
        finally
        {
            lock (_lock)
            {
                _isOver = true;
                foreach (var channel in _channels.Values)
                {
                    channel.Stop();
                }
                _channels.Clear();
                _places.ForEach(place => place.Place.Dispose());
                _places.Clear();
            }
        }
    }

    /// <summary>Runs what the hub says of a channel, unless that has ended meanwhile.</summary>
    public void Locked(RealtimeChannel channel, Action action)
    {
        lock (_lock)
        {
            if (!_isOver && _channels.GetValueOrDefault(channel.Topic) == channel)
            {
                action();
            }
        }
    }

    /// <summary>Sends a message, as soon as the client reads.</summary>
    public void Send(string? joinRef, string? number, string topic, string name, Action<Utf8JsonWriter>? payload = null) =>
        _outbox.Send(RealtimeMessage.Write(_isVersion2, joinRef, number, topic, name, payload));

    /// <summary>Answers a message: with a reason it is a refusal.</summary>
    public void Reply(string? joinRef, string? number, string topic, string? reason = null) =>
        Send(
            joinRef,
            number,
            topic,
            "phx_reply",
            json =>
            {
                json.WriteString("status", reason is null ? "ok" : "error");
                json.WriteStartObject("response");
                if (reason is not null)
                {
                    json.WriteString("reason", reason);
                }
                json.WriteEndObject();
            }
        );

    /// <summary>Ends a channel of this socket. Under the lock.</summary>
    public void Remove(RealtimeChannel channel, string reason)
    {
        _channels.Remove(channel.Topic);
        channel.End(reason);
        FreePlaces();
    }

    /// <summary>What time alone changes: tokens that have ended, joins that have waited too long, clients that are silent.</summary>
    public void Check(DateTime now)
    {
        lock (_lock)
        {
            if (_isOver)
            {
                return;
            }
            if (_closingAt != 0)
            {
                if (_home.Clock.GetElapsedTime(_closingAt) > CloseLimit)
                {
                    Drop("no_close");
                }
                return;
            }
            if (_home.Clock.GetElapsedTime(Interlocked.Read(ref _heardAt)).TotalSeconds > _home.Options.IdleSeconds)
            {
                Close(WebSocketCloseStatus.PolicyViolation, "idle");
                return;
            }
            var hasUser = false;
            List<(RealtimeChannel Channel, string Reason)>? due = null;
            foreach (var channel in _channels.Values)
            {
                hasUser |= channel.UserId is not null;
                if (channel.EndsAt <= now)
                {
                    (due ??= []).Add((channel, "Token has expired"));
                }
                else if (channel.IsPending && _home.Clock.GetElapsedTime(channel.JoinedAt).TotalSeconds > _home.Options.JoinTimeoutSeconds)
                {
                    (due ??= []).Add((channel, "Changes cannot be listened for at the moment"));
                }
            }
            due?.ForEach(each => Remove(each.Channel, each.Reason));
            if (hasUser)
            {
                _userlessSince = _home.Clock.GetTimestamp();
            }
            else if (_home.Clock.GetElapsedTime(_userlessSince).TotalSeconds > _home.Options.WithoutUserSeconds)
            {
                Close(WebSocketCloseStatus.PolicyViolation, "without_user");
            }
        }
    }

    /// <summary>Says good-bye; whoever does not answer is dropped.</summary>
    public void Close(WebSocketCloseStatus status, string reason)
    {
        lock (_lock)
        {
            if (_closingAt == 0)
            {
                _closingAt = _home.Clock.GetTimestamp();
                RealtimeSockets.Closed.Add(1, new KeyValuePair<string, object?>("reason", reason));
                _outbox.Close(status, reason);
            }
        }
    }

    /// <summary>Ends the connection at once.</summary>
    public void Drop(string reason)
    {
        lock (_lock)
        {
            if (!_isOver)
            {
                RealtimeSockets.Closed.Add(1, new KeyValuePair<string, object?>("reason", reason));
                _context.Abort();
            }
        }
    }

    /// <summary>One message.</summary>
    /// <returns>Whether there may be more.</returns>
    private async Task<bool> ReceiveAsync()
    {
        // Nothing is held for a client that says nothing.
        var arrived = await _socket.ReceiveAsync(Memory<byte>.Empty, CancellationToken.None);
        if (arrived.MessageType == WebSocketMessageType.Close)
        {
            Close(WebSocketCloseStatus.NormalClosure, "client");
            await _outbox.Done;
            return false;
        }
        var limit = _home.Options.MaxMessageBytes;
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(FirstBufferBytes, limit));
        try
        {
            var length = 0;
            while (!arrived.EndOfMessage)
            {
                if (length == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(2 * length);
                    buffer.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
                arrived = await _socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                length += arrived.Count;
                if (length > limit)
                {
                    Close(WebSocketCloseStatus.MessageTooBig, "message_too_big");
                    return await DrainAsync(buffer);
                }
            }
            if (_closingAt != 0)
            {
                return true;
            }
            if (!_messages.Take(_home.Clock, _home.Options.MessagesPerSecond))
            {
                Close(WebSocketCloseStatus.PolicyViolation, "too_many_messages");
                return true;
            }
            await ReadAsync(buffer.AsMemory(0, length), arrived.MessageType == WebSocketMessageType.Binary);
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Takes what still comes, so that the client hears the good-bye instead of a reset.</summary>
    private async Task<bool> DrainAsync(byte[] buffer)
    {
        while ((await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None)).MessageType != WebSocketMessageType.Close) { }
        await _outbox.Done;
        return false;
    }

    private async Task ReadAsync(ReadOnlyMemory<byte> bytes, bool isBinary)
    {
        RealtimeMessage message;
        try
        {
            message =
                !isBinary ? RealtimeMessage.Read(bytes, _isVersion2)
                : _isVersion2 ? RealtimeMessage.ReadBinary(bytes.Span)
                : throw new JsonException();
        }
        catch (JsonException)
        {
            Close(isBinary ? WebSocketCloseStatus.InvalidMessageType : WebSocketCloseStatus.InvalidPayloadData, "no_message");
            return;
        }
        Interlocked.Exchange(ref _heardAt, _home.Clock.GetTimestamp());
        switch (message.Topic, message.Event)
        {
            case ("phoenix", "heartbeat"):
                Reply(message.JoinRef, message.Ref, message.Topic);
                break;
            case (_, "phx_join"):
                await JoinAsync(message);
                break;
            case (_, "phx_leave"):
                Leave(message);
                break;
            case (_, "access_token") when Find(message) is { } channel:
                await ChangeTokenAsync(channel, message.Payload);
                break;
            default:
                Reply(
                    message.JoinRef,
                    message.Ref,
                    message.Topic,
                    Find(message) is null ? "unmatched topic"
                        : message.Event is "broadcast" or "presence" ? $"{message.Event} is not offered"
                        : "unknown event"
                );
                break;
        }
    }
}
