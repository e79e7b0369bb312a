using System.Text;

namespace Reelbase.Bench.Flood;

/// <summary>What a request of the flood is, and which limit it runs into.</summary>
public enum FloodKind
{
    /// <summary>A new device from an address: <c>Devices:NewDevicesPerWindow</c>, counted in SQL by address.</summary>
    Device,

    /// <summary>A generation of a guest: <c>Generation:GuestPerWindow</c>, counted in SQL by user.</summary>
    Generation,

    /// <summary>Anything: <c>Flood:RequestsPerSecond</c> and <c>BurstRequests</c>, counted in the process by address.</summary>
    Gate,
}

/// <summary>One request: when it is due, what it is, and from which of the addresses.</summary>
public readonly record struct FloodRequest(double AtSeconds, FloodKind Kind, int Address);

/// <summary>Ten times each limit from every address, spread at random over the time and the connections.</summary>
public sealed class FloodPlan
{
    public const int Times = 10;
    public const int DevicesPerAddress = 3;
    public const int GenerationsPerGuest = 3;
    public const int GateBurst = 10;
    public const int GatePerSecond = 1;

    /// <summary>Of so many addresses one goes against the gate as well: each of its accepted requests is work.</summary>
    private const int AddressesPerGate = 20;

    public FloodPlan(int connections, int addresses, int seconds, int guests)
    {
        Guests = Math.Min(addresses, guests);
        GateAddresses = Math.Max(1, addresses / AddressesPerGate);
        var random = new Random(1);
        var all = new List<FloodRequest>();
        void Add(FloodKind kind, int count, int first, int times)
        {
            for (var address = first; address < first + count; address++)
            {
                all.AddRange(Enumerable.Range(0, times).Select(_ => new FloodRequest(random.NextDouble() * seconds, kind, address)));
            }
        }
        Add(FloodKind.Device, addresses, 0, Times * DevicesPerAddress);
        Add(FloodKind.Generation, Guests, 0, Times * GenerationsPerGuest);
        // Addresses of their own, so that each limit is met by itself.
        Add(FloodKind.Gate, GateAddresses, addresses, Times * (GateBurst + (GatePerSecond * seconds)));
        all.Sort((one, other) => one.AtSeconds.CompareTo(other.AtSeconds));
        var lanes = Enumerable.Range(0, connections).Select(_ => new List<FloodRequest>()).ToList();
        foreach (var request in all)
        {
            lanes[random.Next(connections)].Add(request);
        }
        Lanes = lanes;
        Requests = all.Count;
        Addresses = addresses;
    }

    public int Addresses { get; }
    public int Guests { get; }
    public int GateAddresses { get; }
    public int Requests { get; }

    /// <summary>For each connection its requests, in order.</summary>
    public IReadOnlyList<IReadOnlyList<FloodRequest>> Lanes { get; }

    /// <summary>An address as a proxy forwards it. A third each: IPv4, IPv4 that is now and then written as IPv6, and a phone's IPv6 network with another ending each time.</summary>
    public static string Forwarded(int address, Random random)
    {
        var (high, low) = (address / 250, (address % 250) + 1);
        return (address % 3) switch
        {
            0 => $"198.18.{high}.{low}",
            1 => (random.Next(2) == 0 ? "::ffff:" : "") + $"198.19.{high}.{low}",
            _ => $"2001:db8:{high:x}:{low:x}:{random.Next(1, 65536):x}::{random.Next(1, 65536):x}",
        };
    }

    /// <summary>What a server has served before it is flooded, from other addresses: new devices, presses of the signed-in users and refusals of them, and catalogues.</summary>
    public static IEnumerable<byte[]> Before(Stage stage)
    {
        const int Addresses = 100;
        var random = new Random(2);
        for (var number = 0; number < Addresses * DevicesPerAddress; number++)
        {
            yield return Device($"192.0.2.{(number % Addresses) + 1}");
            yield return Press($"203.0.113.{(number % SignedInTraffic.Users) + 1}", stage.Tokens[number % SignedInTraffic.Users]);
            yield return Press($"203.0.113.{random.Next(SignedInTraffic.Users) + 1}", stage.Tokens[random.Next(SignedInTraffic.Users)]);
            yield return Catalog($"192.0.2.{(number % Addresses) + 1}");
        }
    }

    /// <summary>What each connection is asked once before the flood, by half as many as an address may ask at once: with a token and a body, as the flood has, since a connection keeps what it needs for them.</summary>
    public static byte[] Once(Stage stage, int lane)
    {
        var body = $$"""{"device_id":"{{Guid.NewGuid()}}","device_token":"{{Convert.ToBase64String(Guid.NewGuid().ToByteArray())}}"}""";
        return Encoding.ASCII.GetBytes(
            $"GET /get-models HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 2001:db8:ffff:{lane / (GateBurst / 2):x}:1111:2222:3333:4444\r\n"
                + $"Authorization: Bearer {stage.Tokens[lane % stage.Tokens.Count]}\r\nIdempotency-Key: {Guid.NewGuid()}\r\n"
                + $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"
        );
    }

    private static byte[] Catalog(string from) => Encoding.ASCII.GetBytes($"GET /get-models HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {from}\r\n\r\n");

    private static byte[] Device(string from) =>
        Post(from, "/device-check", $$"""{"device_id":"{{Guid.NewGuid()}}","device_token":"{{Convert.ToBase64String(Guid.NewGuid().ToByteArray())}}"}""", "");

    private static byte[] Press(string from, string token) =>
        Post(
            from,
            "/generate-video",
            $$$"""{"model_id":"{{{Stage.Model}}}","prompt":"A paper boat on a quiet lake","settings":{"duration":8}}""",
            $"Authorization: Bearer {token}\r\nIdempotency-Key: {Guid.NewGuid()}\r\n"
        );

    private static byte[] Post(string from, string path, string body, string more) =>
        Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {from}\r\n{more}Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"
        );

    /// <summary>The bytes of a request.</summary>
    public static byte[] Bytes(FloodRequest request, Stage stage, int firstGuest, Random random)
    {
        var from = Forwarded(request.Address, random);
        return request.Kind switch
        {
            FloodKind.Gate => Catalog(from),
            FloodKind.Device => Device(from),
            _ => Press(from, stage.Tokens[firstGuest + request.Address]),
        };
    }
}
