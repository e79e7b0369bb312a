using Reelbase.Simulators;
using Reelbase.Simulators.Phone;

if (args is ["phone", var server, ..])
{
    return await PhoneStory.TellAsync(server, "A paper boat drifting over a quiet lake at dawn");
}
await SimulatorApp.Build(args).RunAsync();
return 0;
