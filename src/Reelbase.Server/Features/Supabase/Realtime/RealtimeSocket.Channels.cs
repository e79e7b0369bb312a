using System.Text.Json;
using Reelbase.Server.Platform.Database;
using Reelbase.Server.Platform.Errors;

namespace Reelbase.Server.Features.Supabase.Realtime;

/// <summary>The channels of a socket: joins, leaves, and tokens that change.</summary>
internal sealed partial class RealtimeSocket
{
    private RealtimeChannel? Find(RealtimeMessage message)
    {
        lock (_lock)
        {
            return _channels.GetValueOrDefault(message.Topic);
        }
    }

    private async Task JoinAsync(RealtimeMessage message)
    {
        var options = _home.Options;
        try
        {
            if (!_joins.Take(_home.Clock, options.JoinsPerSecondPerSocket) || !_home.TakeJoin(_address))
            {
                throw new JoinRefusedException("Too many joins");
            }
            if (!RealtimeChannel.IsTopic(message.Topic))
            {
                throw new JoinRefusedException("unmatched topic");
            }
            var caller = await CallerAsync(message.Payload) ?? _keyCaller;
            _tables = await _home.Columns.GetAsync(_context.RequestAborted);
            var config = Member(message.Payload, "config");
            var channel = new RealtimeChannel(this, message, ReadEntries(config)) { JoinedAt = _home.Clock.GetTimestamp() };
            lock (_lock)
            {
                Add(channel, caller);
                if (Member(Member(config, "presence"), "enabled").ValueKind == JsonValueKind.True)
                {
                    channel.System("presence", "error", "presence is not offered");
                }
            }
        }
        catch (JoinRefusedException refusal)
        {
            Refuse(message, refusal.Message);
        }
        catch (Exception error) when (error is Npgsql.NpgsqlException or TimeoutException)
        {
            Refuse(message, "The database is away");
        }
    }

    private void Refuse(RealtimeMessage message, string reason)
    {
        lock (_lock)
        {
            // A new join takes the place of the old one, also when it is refused.
            if (_channels.Remove(message.Topic, out var old))
            {
                old.Stop();
            }
            FreePlaces();
        }
        Reply(message.JoinRef ?? message.Ref, message.Ref, message.Topic, reason);
    }

    /// <summary>Adds a channel in place of an earlier join of its topic, to whom nothing is said: its client would take it for the new one's end.</summary>
    private void Add(RealtimeChannel channel, Caller caller)
    {
        if (_isOver || _closingAt != 0)
        {
            return;
        }
        if (_channels.Remove(channel.Topic, out var old))
        {
            old.Stop();
        }
        if (_channels.Count >= _home.Options.ChannelsPerSocket)
        {
            throw new JoinRefusedException($"A socket has at most {_home.Options.ChannelsPerSocket} channels");
        }
        if (_channels.Values.Sum(each => each.Bytes) + channel.Bytes > _home.Options.SubscriptionBytesPerSocket)
        {
            throw new JoinRefusedException("The channels of this socket ask for too much together");
        }
        if (!TakePlace(caller))
        {
            throw new JoinRefusedException("Too many connections of this user");
        }
        _channels[channel.Topic] = channel;
        channel.Begin(caller, _home.Hub);
        FreePlaces();
    }

    private void Leave(RealtimeMessage message)
    {
        lock (_lock)
        {
            var channel = _channels.GetValueOrDefault(message.Topic);
            if (channel is not null)
            {
                channel.Stop();
                _channels.Remove(message.Topic);
                FreePlaces();
            }
            Reply(message.JoinRef ?? channel?.JoinRef, message.Ref, message.Topic);
            Send(message.JoinRef ?? channel?.JoinRef, null, message.Topic, "phx_close");
        }
    }

    private async Task ChangeTokenAsync(RealtimeChannel channel, JsonElement payload)
    {
        try
        {
            if (await CallerAsync(payload) is not { } caller)
            {
                return;
            }
            lock (_lock)
            {
                if (_channels.GetValueOrDefault(channel.Topic) != channel)
                {
                    return;
                }
                if (channel.IsOf(caller))
                {
                    channel.Extend(caller);
                }
                else if (TakePlace(caller))
                {
                    channel.Begin(caller, _home.Hub);
                    FreePlaces();
                }
                else
                {
                    Remove(channel, "Too many connections of this user");
                }
            }
        }
        catch (JoinRefusedException refusal)
        {
            Locked(channel, () => Remove(channel, refusal.Message));
        }
    }

    /// <summary>Whom the token of a message speaks for; null when it has none that counts.</summary>
    private async Task<Caller?> CallerAsync(JsonElement payload)
    {
        var token = Member(payload, "access_token") is { ValueKind: JsonValueKind.String } element ? element.GetString()! : "";
        if (token.Length == 0 || token.StartsWith("sb_", StringComparison.Ordinal))
        {
            return null;
        }
        var reading = await _home.Tokens.ReadKeyAsync(token);
        return reading.Caller ?? throw new JoinRefusedException(reading.HasExpired ? "Token has expired" : "Token is invalid");
    }

    private List<ChangeEntry> ReadEntries(JsonElement config)
    {
        var changes = Member(config, "postgres_changes");
        if (changes.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return [];
        }
        if (changes.ValueKind != JsonValueKind.Array || changes.GetArrayLength() > _home.Options.ChangesPerChannel)
        {
            throw new JoinRefusedException($"postgres_changes is a list of at most {_home.Options.ChangesPerChannel}");
        }
        return changes.EnumerateArray().Select(entry => ChangeEntry.Read(entry, ++_entries, _tables)).ToList();
    }

    /// <summary>A socket has one place of each user that its channels speak for.</summary>
    private bool TakePlace(Caller caller)
    {
        if (caller.UserId is not { } user || _places.Exists(place => place.User == user))
        {
            return true;
        }
        try
        {
            _places.Add((user, _home.Connections.OpenUser(user)));
            return true;
        }
        catch (ApiException)
        {
            return false;
        }
    }

    private void FreePlaces()
    {
        foreach (var place in _places.FindAll(place => !_channels.Values.Any(channel => channel.UserId == place.User)))
        {
            place.Place.Dispose();
            _places.Remove(place);
        }
    }

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;
}
