using System.Text;

namespace Reelbase.Server.Integrations.Apple.DeviceCheck;

/// <summary>
/// Apple's part for iOS Simulators, which have no DeviceCheck: a token that is base64 of <c>ios-simulator:NAME</c> is the device NAME. Its two bits are kept in
/// this process and forgotten with it. It proves nothing, so <c>DeviceCheck:AcceptIosSimulators</c> opens it in Development only.
/// </summary>
internal sealed class IosSimulators
{
    private const string Prefix = "ios-simulator:";
    private const int MaxNameLength = 100;
    private const int MaxDevices = 1000;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (bool Bit0, bool Bit1)> _devices = new(StringComparer.Ordinal);

    /// <summary>The simulator that a token names; null for a token of anything else.</summary>
    public static string? NameOf(string deviceToken)
    {
        Span<byte> bytes = stackalloc byte[Prefix.Length + (4 * MaxNameLength)];
        if (!Convert.TryFromBase64String(deviceToken, bytes, out var length))
        {
            return null;
        }
        var text = Encoding.UTF8.GetString(bytes[..length]);
        return text.StartsWith(Prefix, StringComparison.Ordinal) && text.Length > Prefix.Length ? text[Prefix.Length..] : null;
    }

    /// <summary>The bits of a simulator.</summary>
    public DeviceResponse.Bits Query(string name)
    {
        lock (_gate)
        {
            var (bit0, bit1) = _devices.GetValueOrDefault(name);
            return new(bit0, bit1);
        }
    }

    /// <summary>Keeps them; when there are very many names, all are forgotten.</summary>
    public void Update(string name, bool bit0, bool bit1)
    {
        lock (_gate)
        {
            if (_devices.Count >= MaxDevices && !_devices.ContainsKey(name))
            {
                _devices.Clear();
            }
            _devices[name] = (bit0, bit1);
        }
    }
}
