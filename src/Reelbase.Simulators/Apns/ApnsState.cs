using System.Collections.Concurrent;
using System.Text.Json;

namespace Reelbase.Simulators.Apns;

/// <summary>A push that arrived.</summary>
public sealed record ArrivedPush(
    string Token,
    string Environment,
    string ApnsId,
    Dictionary<string, string> Headers,
    JsonElement Payload,
    string Protocol,
    int Status
);

/// <summary>What a phone's push service knows: which answers tokens get, and what came.</summary>
public sealed class ApnsState
{
    public ConcurrentDictionary<string, (int Status, string? Reason, long? Timestamp, int Left)> Answers { get; } = new();
    public ConcurrentQueue<ArrivedPush> Arrived { get; } = new();
    public ConcurrentDictionary<string, string> Environments { get; } = new();

    /// <summary>Keys beside the developer's usual one, which is good for both environments.</summary>
    public ConcurrentDictionary<string, (string Environment, System.Security.Cryptography.ECDsa Key)> Keys { get; } = new();

    public void Reset()
    {
        Answers.Clear();
        Arrived.Clear();
        Environments.Clear();
        Keys.Clear();
    }
}
