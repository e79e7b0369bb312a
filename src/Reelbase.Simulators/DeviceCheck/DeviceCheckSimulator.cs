using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace Reelbase.Simulators.DeviceCheck;

/// <summary>The two bits of each physical device, kept as long as the process lives.</summary>
public sealed class DeviceState
{
    public ConcurrentDictionary<string, (bool Bit0, bool Bit1, string Month)> Devices { get; } = new();

    public void Reset() => Devices.Clear();
}

/// <summary>Bits to set by hand.</summary>
public sealed record DeviceBits(string Name, bool Bit0, bool Bit1);

/// <summary>Apple's DeviceCheck: a token that is base64 of <c>device:NAME</c> is the physical device NAME.</summary>
public static class DeviceCheckSimulator
{
    public static void MapDeviceCheck(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/devicecheck/v1/{operation}", HandleAsync);
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

    private static async Task<IResult> HandleAsync(string operation, HttpContext context, DeviceState state)
    {
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
            || Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - time.GetInt64()) > 300_000
            || !root.TryGetProperty("transaction_id", out _)
        )
        {
            return Results.Text("Missing or incorrectly formatted time stamp", statusCode: 400);
        }
        if (NameOf(root) is not { } name)
        {
            return Results.Text("Missing or incorrectly formatted device token payload", statusCode: 400);
        }
        switch (operation)
        {
            case "query_two_bits":
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
                return Results.Ok();
            default:
                return Results.Text("Method Not Allowed", statusCode: 405);
        }
    }

    private static string? NameOf(JsonElement root)
    {
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(root.GetProperty("device_token").GetString() ?? ""));
            return text.StartsWith("device:", StringComparison.Ordinal) && text.Length > 7 ? text[7..] : null;
        }
        catch (Exception error) when (error is FormatException or KeyNotFoundException)
        {
            return null;
        }
    }

    private static string Month() => DateTime.UtcNow.ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture);
}
