using System.Security.Cryptography;
using Reelbase.Simulators;
using Reelbase.Simulators.Lan;
using Reelbase.Simulators.Phone;

if (args is ["phone", var server, var simulators])
{
    return await PhoneStory.RunAsync(server, simulators, "A paper boat drifting over a quiet lake at dawn");
}
if (args is ["key"])
{
    // A throw-away key in the form that Apple hands out, for a server that talks to the DeviceCheck simulator.
    using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    Console.WriteLine(key.ExportPkcs8PrivateKeyPem());
    return 0;
}
if (args is ["apple", var directory])
{
    // Pretend Apple's certificates, which the server has to know before it starts: prints the SHA-256 of their root.
    var authority = Reelbase.Simulators.Apple.AppleAuthority.Open(directory);
    Console.WriteLine(Convert.ToHexString(SHA256.HashData(authority.Root.RawData)));
    return 0;
}
if (args is ["lan", .. var given])
{
    // Where a phone finds this machine: the address to listen at, then the others, one a line.
    if (LanAddresses.Choose(given.FirstOrDefault(), out var fault) is not { } address)
    {
        await Console.Error.WriteLineAsync(fault);
        return 1;
    }
    Console.WriteLine(string.Join('\n', LanAddresses.Find().Where(other => !other.Equals(address)).Prepend(address)));
    return 0;
}
if (args is ["qr", var text])
{
    Console.OutputEncoding = System.Text.Encoding.UTF8;
    Console.Write(TerminalQrCode.Draw(text, hasColours: !Console.IsOutputRedirected));
    return 0;
}
await SimulatorApp.Build(args).RunAsync();
return 0;
