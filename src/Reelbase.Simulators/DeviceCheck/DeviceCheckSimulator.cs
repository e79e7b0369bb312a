using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Reelbase.Simulators.DeviceCheck;

/// <summary>The two bits of each physical device, kept as long as the process lives.</summary>
public sealed class DeviceState(IConfiguration configuration)
{
    /// <summary>Whether the token of a real phone, which only true Apple can read, is taken too (<c>--DeviceCheck:TakesRealTokens true</c>).</summary>
    public bool TakesRealTokens { get; } = configuration.GetValue<bool>("DeviceCheck:TakesRealTokens");

    public ConcurrentDictionary<string, (bool Bit0, bool Bit1, string Month)> Devices { get; } = new();

    /// <summary>How often each device was asked about, for its bits or whether its token is good.</summary>
    public ConcurrentDictionary<string, int> Queries { get; } = new();

    /// <summary>Questions about tokens that are none.</summary>
    public int BadTokens => _badTokens;

    private int _badTokens;

    /// <summary>Seconds that Apple's clock is ahead of the true one.</summary>
    public double ClockSeconds { get; set; }

    /// <summary>Answers of 401 that are still to be given.</summary>
    public int Expired { get; set; }

    public void NoteBadToken() => Interlocked.Increment(ref _badTokens);

    public void Reset()
    {
        Devices.Clear();
        Queries.Clear();
        _badTokens = 0;
        ClockSeconds = 0;
        Expired = 0;
    }
}

/// <summary>Bits to set by hand.</summary>
public sealed record DeviceBits(string Name, bool Bit0, bool Bit1);

/// <summary>How Apple misbehaves.</summary>
/// <param name="ClockSeconds">How far its clock is ahead.</param>
/// <param name="Expired">How often it finds our token too old from now on.</param>
public sealed record DeviceCheckMood([property: JsonPropertyName("clock_seconds")] double ClockSeconds = 0, int Expired = 0);

/// <summary>
/// Apple's DeviceCheck: a token that is base64 of <c>device:NAME</c> is the physical device NAME. The development host, at <c>/devicecheck/development</c>, knows
/// <c>xcode:NAME</c> instead and keeps bits of its own. With <see cref="DeviceState.TakesRealTokens"/> a text as long as a real phone's is a device of its own:
/// such a token is sealed and another one each time, so its SHA-256 is the only name that it offers.
/// </summary>
public static class DeviceCheckSimulator
{
    /// <summary>Real tokens have some two thousand characters of base64; what people type to try something has fewer than these.</summary>
    private const int MinRealTokenLength = 500;

    public static void MapDeviceCheck(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(
            "/devicecheck/v1/{operation}",
            (string operation, HttpContext context, DeviceState state) => HandleAsync(operation, "device:", context, state)
        );
        routes.MapPost(
            "/devicecheck/development/v1/{operation}",
            (string operation, HttpContext context, DeviceState state) => HandleAsync(operation, "xcode:", context, state)
        );
        routes.MapPost(
            "/_control/devicecheck/mood",
            (DeviceCheckMood mood, DeviceState state) =>
            {
                state.ClockSeconds = mood.ClockSeconds;
                state.Expired = mood.Expired;
                return Results.Json(new { success = true });
            }
        );
        routes.MapGet(
            "/_control/devicecheck/devices",
            (DeviceState state) =>
                Results.Json(
                    new
                    {
                        devices = state.Devices.Select(device => new
                        {
                            name = device.Key,
                            bit0 = device.Value.Bit0,
                            bit1 = device.Value.Bit1,
                        }),
                        queries = state.Queries,
                        bad_tokens = state.BadTokens,
                    }
                )
        );
        routes.MapPost(
            "/_control/devicecheck/devices",
            (DeviceBits bits, DeviceState state) =>
            {
                state.Devices[bits.Name] = (bits.Bit0, bits.Bit1, Month());
                return Results.Json(new { success = true });
            }
        );
    }

    private static async Task<IResult> HandleAsync(string operation, string prefix, HttpContext context, DeviceState state)
    {
        var now = DateTimeOffset.UtcNow.AddSeconds(state.ClockSeconds);
        context.Response.Headers.Date = now.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        if (state.Expired > 0)
        {
            state.Expired--;
            return Results.Text("Unable to verify authorization token", statusCode: 401);
        }
        // The form of the bearer is checked, its key is not: the simulator has no team to ask for the public part.
        if (context.Request.Headers.Authorization.ToString() is not { Length: > 40 } bearer || bearer.Split('.').Length != 3)
        {
            return Results.Text("Missing or badly formatted authorization token", statusCode: 400);
        }
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var root = body.RootElement;
        if (
            !root.TryGetProperty("timestamp", out var time)
            || time.ValueKind != JsonValueKind.Number
            || Math.Abs(now.ToUnixTimeMilliseconds() - time.GetInt64()) > 300_000
            || !root.TryGetProperty("transaction_id", out _)
        )
        {
            return Results.Text("Missing or incorrectly formatted time stamp", statusCode: 400);
        }
        if (NameOf(root, prefix, state.TakesRealTokens) is not { } name)
        {
            state.NoteBadToken();
            return Results.Text("Missing or incorrectly formatted device token payload", statusCode: 400);
        }
        switch (operation)
        {
            case "query_two_bits":
                state.Queries.AddOrUpdate(name, 1, (_, count) => count + 1);
                return state.Devices.TryGetValue(name, out var bits)
                    ? Results.Json(
                        new
                        {
                            bit0 = bits.Bit0,
                            bit1 = bits.Bit1,
                            last_update_time = bits.Month,
                        }
                    )
                    : Results.Text("Failed to find bit state");
            case "update_two_bits":
                if (!root.TryGetProperty("bit0", out var bit0) || !root.TryGetProperty("bit1", out var bit1))
                {
                    return Results.Text("Missing or incorrectly formatted bits", statusCode: 400);
                }
                state.Devices[name] = (bit0.GetBoolean(), bit1.GetBoolean(), Month());
                return Results.Ok();
            case "validate_device_token":
                state.Queries.AddOrUpdate(name, 1, (_, count) => count + 1);
                return Results.Ok();
            default:
                return Results.Text("Method Not Allowed", statusCode: 405);
        }
    }

    private static string? NameOf(JsonElement root, string prefix, bool takesRealTokens)
    {
        try
        {
            var token = root.GetProperty("device_token").GetString() ?? "";
            var bytes = Convert.FromBase64String(token);
            var text = Encoding.UTF8.GetString(bytes);
            if (text.StartsWith(prefix, StringComparison.Ordinal) && text.Length > prefix.Length)
            {
                return prefix == "device:" ? text[prefix.Length..] : text;
            }
            return takesRealTokens && token.Length > MinRealTokenLength ? $"phone-{Convert.ToHexStringLower(SHA256.HashData(bytes))[..16]}" : null;
        }
        catch (Exception error) when (error is FormatException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static string Month() => DateTime.UtcNow.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture);
}
