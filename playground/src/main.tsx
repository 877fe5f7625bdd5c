import { render } from 'preact';
import { App } from './app';
import { takeHandover } from './handover';
import './style.css';

render(<App handover={takeHandover()} />, document.getElementById('root')!);
